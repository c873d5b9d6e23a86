//! Signals in: bytes to a checked [`Signal`], and the judgements that need no market: age and confidence.

mod decode;
mod json;
mod signal;

pub use decode::{BODY_MAX, BadSignal, DEPTH_MAX, Fault, Known, decode, id_of, new_trace};
pub use signal::{Signal, Snapshot, row_figure};

use crate::config::Config;
use crate::refusal::{Code, Refusal};
use crate::unit::{ExchangeTime, Span, calendar};

/// What is worth a warning about a signal's timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Nothing.
    Good,
    /// It lies this far in the future (spec S6).
    Ahead(Span),
}

/// Judges a signal's age at exchange time `now` (spec S6). `reducing` says that it can only reduce a position.
pub fn judge_age(signal: &Signal, now: ExchangeTime, reducing: bool, config: &Config) -> Result<Timing, Refusal> {
    let at = calendar::to_exchange(signal.timestamp);
    let (age, ahead) = (now.since(at), at.since(now));
    let max = if reducing { config.exit_signal_max_age() } else { config.signal_max_age() };
    if ahead > config.signal_future_reject() {
        let limit = config.signal_future_reject();
        return Err(Refusal::new(
            Code::SignalFromFuture,
            format_args!(
                "timestamp {} is {ahead} ahead of the exchange's clock, the limit is {limit}",
                signal.timestamp
            ),
        ));
    }
    if age > max {
        return Err(Refusal::new(
            Code::SignalExpired,
            format_args!("timestamp {} is {age} old, the limit is {max}", signal.timestamp),
        ));
    }
    Ok(if ahead > config.signal_future_warn() { Timing::Ahead(ahead) } else { Timing::Good })
}

/// Judges a signal's confidence (spec S8); reducing signals always pass.
pub fn judge_confidence(signal: &Signal, reducing: bool, config: &Config) -> Result<(), Refusal> {
    if reducing || signal.confidence >= config.min_confidence {
        return Ok(());
    }
    let (confidence, min) = (signal.confidence, config.min_confidence);
    Err(Refusal::new(Code::LowConfidence, format_args!("confidence {confidence} is below MIN_CONFIDENCE {min}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{NOW, ratio, signal};
    use crate::unit::Side;

    #[test]
    fn s6_age_and_future_are_judged_at_their_bounds() {
        let (signal, config) = (signal(Side::Buy, "100"), Config::default());
        let at = calendar::to_exchange(NOW);
        let judge = |now, reducing| judge_age(&signal, now, reducing, &config).map_err(|e| e.code);
        assert_eq!(judge(at.after(Span::secs(120)), false), Ok(Timing::Good));
        assert_eq!(judge(at.after(Span::millis(120_001)), false), Err(Code::SignalExpired));
        assert_eq!(judge(at.after(Span::secs(900)), true), Ok(Timing::Good));
        assert_eq!(judge(at.after(Span::millis(900_001)), true), Err(Code::SignalExpired));
        assert_eq!(judge(at.before(Span::secs(5)), false), Ok(Timing::Good));
        assert_eq!(judge(at.before(Span::secs(30)), false), Ok(Timing::Ahead(Span::secs(30))));
        assert_eq!(judge(at.before(Span::millis(30_001)), true), Err(Code::SignalFromFuture));
    }

    #[test]
    fn s8_confidence_binds_opening_signals_only() {
        let signal = signal(Side::Buy, "100");
        let config = Config { min_confidence: ratio("0.81"), ..Config::default() };
        assert_eq!(judge_confidence(&signal, false, &Config::default()), Ok(()));
        assert_eq!(judge_confidence(&signal, true, &config), Ok(()));
        assert_eq!(judge_confidence(&signal, false, &config).unwrap_err().code, Code::LowConfidence);
    }
}
