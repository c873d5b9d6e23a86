//! Markets made from a seed: a price file and a signal file in the shapes of production, for people who
//! have neither.

mod signals;

use crate::choice::Choices;
use crate::prices::{walk, write_bars};
use order_manager_core::unit::{Decimal, Price, Timestamp};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Every generated market begins here: 2024-01-01 00:00 UTC.
pub const START: Timestamp = Timestamp(1_704_067_200_000_000);
/// Longest market that can be generated, in days.
pub const DAYS_MAX: u32 = 366;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Minute bars, `prices.csv`.
    pub prices: PathBuf,
    /// Signals by time, one JSON body a line, `signals.jsonl`.
    pub signals: PathBuf,
    /// Bars written.
    pub bar_count: usize,
    /// Signals written.
    pub signal_count: usize,
}

/// Why nothing, or not everything, was written.
#[derive(Debug)]
pub enum GenerateError {
    /// `days` is outside 1 to [`DAYS_MAX`].
    Days(u32),
    /// A file or folder could not be written.
    Write(PathBuf, std::io::Error),
}

impl std::fmt::Display for GenerateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Days(days) => write!(f, "days `{days}` is outside 1 to {DAYS_MAX}; ask for fewer or at least one"),
            Self::Write(path, e) => {
                write!(f, "`{}` cannot be written: {e}; name a folder you may write to", path.display())
            }
        }
    }
}

impl std::error::Error for GenerateError {}

/// Writes `days` days of BTCUSDT bars and the signals that a model might send on them into `out_dir`, which
/// is made where it is absent. A seed gives the same bytes everywhere; files of the same names are replaced.
pub fn generate(seed: u64, days: u32, out_dir: &Path) -> Result<Generated, GenerateError> {
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(GenerateError::Days(days));
    }
    let mut choices = Choices::seeded(seed);
    let tick = Price(Decimal::new(1, 1));
    let first = Price(tick.0 * Decimal::from(choices.between("first-price", 400_000, 600_000)));
    let bars = walk(seed, START, u64::from(days) * 1_440, first, tick);
    let bodies = signals::on(&bars, &mut choices);

    fs::create_dir_all(out_dir).map_err(|e| GenerateError::Write(out_dir.into(), e))?;
    let prices = out_dir.join("prices.csv");
    write_file(&prices, |out| write_bars(out, &bars))?;
    let signals = out_dir.join("signals.jsonl");
    write_file(&signals, |out| bodies.iter().try_for_each(|body| writeln!(out, "{body}")))?;
    Ok(Generated { prices, signals, bar_count: bars.len(), signal_count: bodies.len() })
}

fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), GenerateError> {
    let write = || {
        let mut out = BufWriter::new(File::create(path)?);
        fill(&mut out)?;
        out.flush()
    };
    write().map_err(|e| GenerateError::Write(path.into(), e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::read_bars;

    struct Folder(PathBuf);
    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("order-sim-{}-{name}", std::process::id())))
        }
    }
    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_seed_gives_the_same_bytes() {
        let [a, b, c] = ["same-a", "same-b", "other"].map(Folder::new);
        let bytes = |seed, folder: &Folder| {
            let made = generate(seed, 2, &folder.0).unwrap();
            (fs::read(made.prices).unwrap(), fs::read(made.signals).unwrap())
        };
        let first = bytes(11, &a);
        assert!(first == bytes(11, &b));
        assert!(first != bytes(12, &c));
    }

    #[test]
    fn the_files_have_the_shapes_of_production() {
        let folder = Folder::new("shapes");
        let made = generate(5, 30, &folder.0).unwrap();
        let bars = read_bars(&made.prices).unwrap();
        assert_eq!((bars.len(), made.bar_count), (43_200, 43_200));
        let per_day = made.signal_count / 30;
        assert!((20..=26).contains(&per_day), "{per_day} signals a day");

        let text = fs::read_to_string(&made.signals).unwrap();
        assert_eq!(text.lines().count(), made.signal_count);
        let (mut warm, mut buys, mut ids) = (0, 0, std::collections::BTreeSet::new());
        for line in text.lines() {
            let signal: serde_json::Value = serde_json::from_str(line).unwrap();
            warm += usize::from(signal["is_warmup"] == true);
            buys += usize::from(signal["signal_type"] == "buy");
            assert!(ids.insert(signal["signal_id"].as_str().unwrap().to_owned()), "twice: {line}");
            assert_eq!(signal["model_version"].is_null(), signal["is_warmup"] == true, "{line}");
        }
        let share = |n: usize| n * 1_000 / made.signal_count;
        assert!((15..70).contains(&share(warm)), "{warm} warm-up signals");
        assert!((600..730).contains(&share(buys)), "{buys} buys");
    }

    #[test]
    fn what_cannot_be_generated_is_said() {
        let e = generate(1, 0, Path::new("unused")).unwrap_err();
        assert_eq!(e.to_string(), "days `0` is outside 1 to 366; ask for fewer or at least one");
        let folder = Folder::new("blocked");
        fs::write(&folder.0, "a file, not a folder").unwrap();
        let e = generate(1, 1, &folder.0).unwrap_err().to_string();
        let _ = fs::remove_file(&folder.0);
        assert!(e.contains("cannot be written"), "{e}");
    }
}
