//! The price file: `timestamp,open,high,low,close,volume`, one bar a line, UTC.

use super::{BAR, Bar};
use crate::signal_json::{float, iso};
use order_manager_core::unit::{Decimal, Price, Quantity, Timestamp, calendar, decimal};
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

const HEADER: &str = "timestamp,open,high,low,close,volume";

/// A price file that cannot be used: what, where, which value, what to do.
#[derive(Debug)]
pub struct PriceFileError {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1; 0 where the file could not be read at all.
    pub line: usize,
    /// Column name, or `file`, or `header`, or `line`.
    pub field: &'static str,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub why: String,
    /// What to do.
    pub remedy: &'static str,
}

impl fmt::Display for PriceFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {} `{}` {}; {}", self.field, self.value, self.why, self.remedy)
    }
}

impl std::error::Error for PriceFileError {}

/// Reads a whole price file.
pub fn read_bars(path: &Path) -> Result<Vec<Bar>, PriceFileError> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse_bars(&text, &file),
        Err(e) => Err(PriceFileError {
            value: file.clone(),
            file,
            line: 0,
            field: "file",
            why: format!("cannot be read: {e}"),
            remedy: "name a CSV file of minute bars, or make one with `order-sim generate`",
        }),
    }
}

/// Reads the text of a price file; `file` is its name in errors.
pub fn parse_bars(text: &str, file: &str) -> Result<Vec<Bar>, PriceFileError> {
    let mut lines = text.lines();
    let at = |line: usize, problem: Problem| problem.at(file, line);
    let header = lines.next().unwrap_or_default().trim_start_matches('\u{feff}');
    if header != HEADER {
        let why = "is not the header of a price file".into();
        let remedy = "the first line must be `timestamp,open,high,low,close,volume`";
        return Err(at(1, Problem { field: "header", value: header.into(), why, remedy }));
    }
    let mut bars: Vec<Bar> = Vec::with_capacity(text.len() / 64);
    for (index, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let bar = parse_bar(line).map_err(|problem| at(index + 2, problem))?;
        let previous = bars.last().map_or(Timestamp(0), |b| b.end);
        if bar.end.0 < previous.0.saturating_add(BAR.0) {
            let value = line.split(',').next().unwrap_or_default().into();
            let why = format!("is less than a minute after the bar before it ({})", spelled(previous));
            return Err(at(index + 2, Problem { field: "timestamp", value, why, remedy: "sort the bars by time" }));
        }
        bars.push(bar);
    }
    Ok(bars)
}

/// Writes bars in the shape that [`parse_bars`] reads.
pub fn write_bars(out: &mut impl Write, bars: &[Bar]) -> io::Result<()> {
    writeln!(out, "{HEADER}")?;
    for bar in bars {
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(|p| float(p.0));
        writeln!(out, "{},{open},{high},{low},{close},{}", spelled(bar.end), float(bar.volume.0))?;
    }
    Ok(())
}

/// `2021-12-31 23:01:00.000000`.
fn spelled(moment: Timestamp) -> String {
    let text = iso(moment).replace('T', " ").replace('Z', "");
    if text.contains('.') { text } else { text + ".000000" }
}

/// A problem whose file and line are not known yet.
struct Problem {
    field: &'static str,
    value: String,
    why: String,
    remedy: &'static str,
}

impl Problem {
    fn at(self, file: &str, line: usize) -> PriceFileError {
        let Self { field, value, why, remedy } = self;
        PriceFileError { file: file.into(), line, field, value, why, remedy }
    }
}

fn parse_bar(line: &str) -> Result<Bar, Problem> {
    let mut fields = line.split(',');
    let (Some(end), Some(open), Some(high), Some(low), Some(close), Some(volume), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        let why = format!("has {} fields, not 6", line.split(',').count());
        let remedy = "write `timestamp,open,high,low,close,volume`";
        return Err(Problem { field: "line", value: line.into(), why, remedy });
    };
    let bar = Bar {
        end: moment(end)?,
        open: Price(number("open", open)?),
        high: Price(number("high", high)?),
        low: Price(number("low", low)?),
        close: Price(number("close", close)?),
        volume: Quantity(number("volume", volume)?),
    };
    check("low", low, bar.low.is_positive(), "is not above zero", "a price is above zero; drop the bar")?;
    check("volume", volume, bar.volume >= Quantity::ZERO, "is negative", "write 0 where nothing was traded")?;
    let highest = bar.open.max(bar.close).max(bar.low);
    check("high", high, bar.high >= highest, "is below another price of its bar", "high is the highest of the four")?;
    let lowest = bar.open.min(bar.close);
    check("low", low, bar.low <= lowest, "is above another price of its bar", "low is the lowest of the four")?;
    Ok(bar)
}

fn check(field: &'static str, value: &str, good: bool, why: &'static str, remedy: &'static str) -> Result<(), Problem> {
    if good { Ok(()) } else { Err(Problem { field, value: value.into(), why: why.into(), remedy }) }
}

fn moment(text: &str) -> Result<Timestamp, Problem> {
    calendar::parse(text).filter(|moment| moment.0 >= BAR.0).ok_or_else(|| Problem {
        field: "timestamp",
        value: text.into(),
        why: "is not a moment since 1970".into(),
        remedy: "write it as `2021-12-31 23:01:00.000000`, UTC, the end of the bar",
    })
}

fn number(field: &'static str, text: &str) -> Result<Decimal, Problem> {
    decimal::parse(text).map_err(|e| Problem {
        field,
        value: text.into(),
        why: e.to_string(),
        remedy: "write plain digits with a point, such as 46319.5",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(lines: &str) -> String {
        parse_bars(&format!("{HEADER}\n2024-01-01 00:01:00.000000,10.0,12.0,9.0,11.0,1.5\n{lines}\n"), "p.csv")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let bars = crate::prices::walk(
            9,
            calendar::parse("2024-01-01T00:00:00Z").unwrap(),
            500,
            Price(decimal::parse("42000").unwrap()),
            Price(decimal::parse("0.1").unwrap()),
        );
        let mut text = Vec::new();
        write_bars(&mut text, &bars).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.starts_with("timestamp,open,high,low,close,volume\n2024-01-01 00:01:00.000000,42000.0,"),
            "{text}"
        );
        assert_eq!(parse_bars(&text, "p.csv").unwrap(), bars);
    }

    #[test]
    fn every_problem_names_file_line_field_value_and_remedy() {
        for (line, expected) in [
            (
                "2024-01-01 00:02:00.000000,10.0,12.0,9.0,11.0",
                "p.csv:3: line `2024-01-01 00:02:00.000000,10.0,12.0,9.0,11.0` has 5 fields, not 6; write `timestamp,open,high,low,close,volume`",
            ),
            (
                "noon,10.0,12.0,9.0,11.0,1",
                "p.csv:3: timestamp `noon` is not a moment since 1970; write it as `2021-12-31 23:01:00.000000`, UTC, the end of the bar",
            ),
            (
                "2024-01-01 00:01:30.000000,10.0,12.0,9.0,11.0,1",
                "p.csv:3: timestamp `2024-01-01 00:01:30.000000` is less than a minute after the bar before it (2024-01-01 00:01:00.000000); sort the bars by time",
            ),
            (
                "2024-01-01 00:02:00.000000,10.0,12.0,9.0,11.0x,1",
                "p.csv:3: close `11.0x` is not a decimal number; write plain digits with a point, such as 46319.5",
            ),
            (
                "2024-01-01 00:02:00.000000,10.0,10.5,9.0,11.0,1",
                "p.csv:3: high `10.5` is below another price of its bar; high is the highest of the four",
            ),
            (
                "2024-01-01 00:02:00.000000,10.0,12.0,10.5,11.0,1",
                "p.csv:3: low `10.5` is above another price of its bar; low is the lowest of the four",
            ),
            (
                "2024-01-01 00:02:00.000000,10.0,12.0,0,11.0,1",
                "p.csv:3: low `0` is not above zero; a price is above zero; drop the bar",
            ),
            (
                "2024-01-01 00:02:00.000000,10.0,12.0,9.0,11.0,-1",
                "p.csv:3: volume `-1` is negative; write 0 where nothing was traded",
            ),
        ] {
            assert_eq!(complaint(line), expected);
        }
    }

    #[test]
    fn a_file_without_header_or_without_itself_is_named() {
        let e = parse_bars("time,price\n", "p.csv").unwrap_err().to_string();
        assert_eq!(
            e,
            "p.csv:1: header `time,price` is not the header of a price file; the first line must be `timestamp,open,high,low,close,volume`"
        );
        let e = read_bars(Path::new("no/such.csv")).unwrap_err().to_string();
        assert!(e.starts_with("no/such.csv: file `no/such.csv` cannot be read: "), "{e}");
    }

    /// The month of real bars that lies beside the repository on some machines.
    #[test]
    fn a_real_month_is_read_and_written_back_the_same() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/market/btc-perp-1m-2022-01.csv");
        if !path.exists() {
            _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("skipped: {} is not here\n", path.display()),
            );
            return;
        }
        let bars = read_bars(&path).unwrap();
        assert_eq!(bars.len(), 45_031);
        let mut text = Vec::new();
        write_bars(&mut text, &bars).unwrap();
        assert!(text == std::fs::read(&path).unwrap(), "writing the bars again must give the same bytes");
    }
}
