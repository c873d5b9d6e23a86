//! Signals as the model service writes them: `json.dumps` of Python, byte for byte (wire-contracts.md 1.2).

use crate::bank;
use order_manager_core::unit::Timestamp;
use order_manager_sim::signal_json::iso;

/// What differs from one to the next. Numbers are texts, so that each stands as Python spells it.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) id: String,
    pub(crate) side: &'static str,
    pub(crate) asset: &'static str,
    pub(crate) amount: &'static str,
    pub(crate) confidence: &'static str,
    pub(crate) price: &'static str,
    pub(crate) spread: &'static str,
    /// `"v1.2"` with its quotes, or `null`.
    pub(crate) model_version: &'static str,
    pub(crate) is_warmup: bool,
    pub(crate) metadata: String,
}

impl Sample {
    /// Of the trained model.
    pub(crate) fn model(number: u32, side: &'static str, asset: &'static str, amount: &'static str) -> Self {
        let inferred = iso(Timestamp(bank::now().0 / 1_000_000 * 1_000_000));
        let metadata = format!(
            r#"{{"reasoning": "Model prediction: {side}", "prediction_result": {{"prediction": 1, "buy_probability": 0.9476, "sell_probability": 0.052399999999999974}}, "model_version": "v1.2", "feature_registry_version": "v1.0", "inference_timestamp": "{inferred}"}}"#
        );
        Self {
            id: format!("00000000-0000-4000-8000-{number:012}"),
            side,
            asset,
            amount,
            confidence: "0.9476",
            price: if asset == "BTCUSDT" { "60000.0" } else { "3000.0" },
            spread: "0.1",
            model_version: r#""v1.2""#,
            is_warmup: false,
            metadata,
        }
    }

    /// Of a generator without a model.
    pub(crate) fn without_model(self, confidence: &'static str, metadata: &str) -> Self {
        Self { confidence, model_version: "null", metadata: metadata.to_owned(), ..self }
    }

    /// The message, made now.
    pub(crate) fn text(&self) -> String {
        let Self { id, side, asset, amount, confidence, price, spread, model_version, is_warmup, metadata } = self;
        let timestamp = iso(bank::now());
        format!(
            r#"{{"signal_id": "{id}", "signal_type": "{side}", "asset": "{asset}", "amount": {amount}, "confidence": {confidence}, "timestamp": "{timestamp}", "strategy_id": "momentum_v1", "model_version": {model_version}, "is_warmup": {is_warmup}, "market_data_snapshot": {{"price": {price}, "spread": {spread}, "volume_24h": 161184.6652, "volatility": 0.0036524413687043446, "orderbook_depth": {{"bid_depth": 3.629, "ask_depth": 16.981}}, "technical_indicators": null}}, "metadata": {metadata}, "trace_id": null}}"#
        )
    }

    /// The same as the scripts of testers send it: numbers as texts, and a trace id of its own.
    pub(crate) fn script_text(&self, trace: &str) -> String {
        let Self { id, side, asset, amount, confidence, price, spread, .. } = self;
        let timestamp = iso(bank::now());
        format!(
            r#"{{"signal_id": "{id}", "signal_type": "{side}", "asset": "{asset}", "amount": "{amount}", "confidence": "{confidence}", "timestamp": "{timestamp}", "strategy_id": "test-strategy", "model_version": null, "is_warmup": false, "market_data_snapshot": {{"price": "{price}", "spread": "{spread}", "volume_24h": "1000000.0", "volatility": "0.02"}}, "metadata": {{"test": true, "source": "script", "test_id": "1"}}, "trace_id": "{trace}"}}"#
        )
    }
}
