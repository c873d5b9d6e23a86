//! Rows with Bybit's full key sets (bybit-v5.md 2.7, 2.9, 4.4, 4.5, 4.7, 5.1, 6). The same absent number is
//! spelled differently by REST and by the stream (Q20), as it is in life.

use super::Exchange;
use super::json::Json;
use crate::exchange::order::{Order, Origin};
use crate::exchange::truth::MNT;
use order_manager_core::bybit::{
    ExecType, ExecutionRow, InstrumentRow, OrderRow, OrderStatus, PositionRow, TickerRow, TimeInForce, WalletRow,
};
use order_manager_core::unit::{Decimal, Money};

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Rest,
    Stream,
}

/// Writes rows, with what the exchange knows beyond them where it is at hand.
pub(super) struct Scribe<'a> {
    pub(super) exchange: Option<&'a Exchange>,
    pub(super) voice: Voice,
}

impl Scribe<'_> {
    fn is_stream(&self) -> bool {
        self.voice == Voice::Stream
    }
    /// The spelling of a number that is not there.
    fn absent(&self) -> &'static str {
        if self.is_stream() { "" } else { "0" }
    }
    fn quantity_places(&self) -> u32 {
        if self.is_stream() { 3 } else { 0 }
    }

    pub(super) fn order(&self, json: &mut Json, row: &OrderRow) {
        let known = self.exchange.and_then(|exchange| exchange.order_by_id(row.order_id));
        if self.is_stream() {
            json.text("category", "linear");
        }
        json.text("orderId", row.order_id.as_str());
        json.text("orderLinkId", row.link.as_ref().map_or("", |link| link.as_str()));
        json.texts(&[("parentOrderLinkId", ""), ("blockTradeId", "")]);
        json.text("symbol", row.symbol.as_str());
        match row.price {
            Some(price) => json.decimal("price", price.0, 2),
            None => json.absent("price", self.absent()),
        }
        json.decimal("qty", row.quantity.0, self.quantity_places());
        json.text("side", row.side.as_str());
        json.text("isLeverage", "");
        json.whole("positionIdx", row.position_idx);
        json.text("orderStatus", status(&row.status));
        json.text("createType", create_type(known));
        json.text("cancelType", row.cancel_type.as_str());
        json.text("rejectReason", row.reject_reason.as_str());
        self.fills(json, row, known);
        json.text("timeInForce", time_in_force(row, known));
        json.text("orderType", if row.is_market { "Market" } else { "Limit" });
        json.text("stopOrderType", if self.is_stream() { "" } else { "UNKNOWN" });
        json.texts(&[
            ("orderIv", ""),
            ("marketUnit", ""),
            ("triggerPrice", if self.is_stream() { "" } else { "0.00" }),
        ]);
        json.texts(&[("takeProfit", ""), ("stopLoss", ""), ("tpslMode", ""), ("ocoTriggerBy", "")]);
        json.texts(&[("tpLimitPrice", ""), ("slLimitPrice", ""), ("tpTriggerBy", ""), ("slTriggerBy", "")]);
        json.whole("triggerDirection", 0);
        json.text("triggerBy", if self.is_stream() { "" } else { "UNKNOWN" });
        match known {
            Some(order) => json.decimal("lastPriceOnCreated", order.last_on_created.0, 1),
            None => json.text("lastPriceOnCreated", ""),
        }
        json.flag("reduceOnly", row.reduce_only);
        json.flag("closeOnTrigger", false);
        json.texts(&[("placeType", ""), ("smpType", "None")]);
        json.whole("smpGroup", 0);
        json.texts(&[("smpOrderId", ""), ("slippageToleranceType", "UNKNOWN"), ("slippageTolerance", self.absent())]);
        if self.is_stream() {
            json.texts(&[("brokerOrderPrice", ""), ("feeCurrency", "")]);
            json.decimal("closedPnl", known.map_or(Decimal::ZERO, |order| order.state.closed_pnl.0), 0);
            json.flag("rpiTakerAccess", false);
            json.text("rpiMatchedQty", "0");
        }
        json.stamp("createdTime", row.created.0);
        json.stamp("updatedTime", row.updated.0);
    }

    /// What is filled and what is left: nothing is left of an order that ended (Q21).
    fn fills(&self, json: &mut Json, row: &OrderRow, known: Option<&Order>) {
        let average = row.cum_value.per(row.cum_quantity);
        match average {
            Some(average) => json.decimal("avgPrice", average.0.round_dp(8), 0),
            None => json.absent("avgPrice", self.absent()),
        }
        if row.status.is_terminal() {
            let cancelled = row.status == OrderStatus::Cancelled && !self.is_stream();
            json.text("leavesQty", if cancelled { "" } else { "0.000" });
            json.text("leavesValue", if cancelled { "" } else { "0" });
        } else {
            let leaves = row.quantity.0 - row.cum_quantity.0;
            json.decimal("leavesQty", leaves, self.quantity_places());
            json.decimal("leavesValue", leaves * row.price.unwrap_or_default().0, 0);
        }
        json.decimal("cumExecQty", row.cum_quantity.0, self.quantity_places());
        json.decimal("cumExecValue", row.cum_value.0, 0);
        json.decimal("cumExecFee", row.cum_fee.0, 0);
        json.child("cumFeeDetail", |json| {
            if !row.cum_fee.is_zero() {
                json.decimal("USDT", row.cum_fee.0, 0);
            }
            if let Some(mnt) = known.map(|order| order.state.cum_fee_mnt.0).filter(|fee| !fee.is_zero()) {
                json.decimal(MNT, mnt, 0);
            }
        });
    }

    pub(super) fn execution(&self, json: &mut Json, row: &ExecutionRow) {
        let execution = self.exchange.and_then(|exchange| exchange.execution_by_id(row.exec_id));
        let order = self.exchange.and_then(|exchange| exchange.order_by_id(row.order_id));
        if self.is_stream() {
            json.text("category", "linear");
        }
        json.text("symbol", row.symbol.as_str());
        json.text("orderId", row.order_id.as_str());
        json.text("orderLinkId", row.link.as_ref().map_or("", |link| link.as_str()));
        json.text("side", row.side.as_str());
        json.decimal("orderPrice", order.map_or(row.price.0, |order| order.state.price.0), 2);
        json.decimal("orderQty", order.map_or(row.quantity.0, |order| order.state.quantity.0), 3);
        // The remainder right after this fill, not now.
        json.decimal("leavesQty", order.map_or(Decimal::ZERO, |order| self.leaves_after(order, row)), 3);
        json.text("createType", create_type(order));
        json.text("orderType", execution_order_type(row, order));
        json.text("stopOrderType", "UNKNOWN");
        json.decimal("execFee", row.fee.0, 4);
        if !self.is_stream() {
            json.text("execFeeV2", "");
        }
        json.text("execId", row.exec_id.as_str());
        json.decimal("execPrice", row.price.0, 2);
        json.decimal("execQty", row.quantity.0, 3);
        json.text("execType", exec_type(&row.exec_type));
        json.decimal("execValue", row.value.0, 2);
        json.stamp("execTime", row.time.0);
        json.text("feeCurrency", row.fee_coin.as_str());
        json.flag("isMaker", row.is_maker);
        match row.fee.0.checked_div(row.value.0) {
            Some(rate) => json.decimal("feeRate", rate.round_dp(8), 0),
            None => json.text("feeRate", "0"),
        }
        json.texts(&[("tradeIv", ""), ("markIv", "")]);
        json.decimal("markPrice", row.price.0, 2);
        json.texts(&[("indexPrice", ""), ("underlyingPrice", ""), ("blockTradeId", "")]);
        json.decimal("closedSize", execution.map_or(Decimal::ZERO, |e| e.closed.0), 3);
        if self.is_stream() {
            json.decimal("execPnl", execution.map_or(Decimal::ZERO, |e| e.pnl.0), 0);
            json.texts(&[("isLeverage", "0"), ("marketUnit", "")]);
            json.list("extraFees", &[] as &[()], |_, ()| {});
        } else {
            json.text("extraFees", "");
        }
        json.whole("seq", row.seq.unwrap_or_default());
    }

    fn leaves_after(&self, order: &Order, row: &ExecutionRow) -> Decimal {
        let truth = self.exchange.map(Exchange::truth);
        let filled = truth.into_iter().flat_map(|truth| truth.executions_of(order)).map(|e| (e.id(), e.quantity.0));
        let mut left = order.state.quantity.0;
        for (id, quantity) in filled {
            left -= quantity;
            if id == row.exec_id {
                break;
            }
        }
        left
    }

    pub(super) fn position(&self, json: &mut Json, row: &PositionRow) {
        let position = self.exchange.and_then(|exchange| exchange.position(row.symbol));
        let mark = self.exchange.and_then(|exchange| exchange.last_price(row.symbol));
        if self.is_stream() {
            json.text("category", "linear");
        }
        json.whole("positionIdx", row.position_idx);
        json.whole("riskId", 1);
        json.text("riskLimitValue", "2000000");
        json.text("symbol", row.symbol.as_str());
        json.text("side", row.side.map_or("", |side| side.as_str()));
        json.present("size", row.size.0, 0); // flat is "0" in every sample of 4.7 and 6.4
        let average = if self.is_stream() { "entryPrice" } else { "avgPrice" };
        let value = row.average_price.map(|price| price.0 * row.size.0);
        match row.average_price {
            Some(price) => json.decimal(average, price.0, 2),
            None => json.absent(average, "0"),
        }
        self.optional(json, "positionValue", value.map(Money));
        json.text("positionStatus", "Normal");
        json.whole("autoAddMargin", 0);
        json.whole("adlRankIndicator", if row.side.is_some() { 2 } else { 0 });
        self.optional(json, "leverage", row.leverage.map(|leverage| Money(leverage.0)));
        json.text("breakEvenPrice", "");
        self.optional(json, "markPrice", mark.map(|mark| Money(mark.0)));
        json.texts(&[("liqPrice", ""), ("bustPrice", ""), ("positionIM", ""), ("positionIMByMp", "")]);
        json.texts(&[("positionMM", ""), ("positionMMByMp", ""), ("positionBalance", "0")]);
        json.whole("tradeMode", 0);
        json.texts(&[("tpslMode", "Full"), ("takeProfit", ""), ("stopLoss", ""), ("trailingStop", "0.00")]);
        json.text("sessionAvgPrice", "");
        self.optional(json, "unrealisedPnl", row.unrealised_pnl);
        json.decimal("curRealisedPnl", position.map_or(Decimal::ZERO, |p| p.current_realised.0), 0);
        json.decimal("cumRealisedPnl", position.map_or(Decimal::ZERO, |p| p.realised.0), 0);
        json.whole("seq", row.seq);
        json.flag("isReduceOnly", false);
        json.texts(&[("mmrSysUpdatedTime", ""), ("leverageSysUpdatedTime", "")]);
        json.whole("openTime", position.map_or(0, |p| p.opened.0 / 1_000));
        json.stamp("createdTime", row.updated.0);
        json.stamp("updatedTime", row.updated.0);
    }

    fn optional(&self, json: &mut Json, key: &str, value: Option<Money>) {
        match value {
            Some(value) => json.decimal(key, value.0, 0),
            None => json.absent(key, self.absent()),
        }
    }

    pub(super) fn wallet(&self, json: &mut Json, row: &WalletRow) {
        let cash: Decimal = row.coins.iter().map(|coin| coin.wallet_balance.0).sum();
        let equity = row.total_equity.map(|equity| equity.0);
        let margins = row.coins.iter().flat_map(|coin| [coin.order_margin, coin.position_margin]).flatten();
        let initial: Decimal = margins.map(|margin| margin.0).sum();
        json.text("accountType", "UNIFIED");
        self.total(json, "totalEquity", row.total_equity);
        json.decimal("totalWalletBalance", cash, 0);
        self.total(json, "totalMarginBalance", row.total_equity);
        self.total(json, "totalAvailableBalance", row.total_available);
        self.total(json, "totalPerpUPL", equity.map(|equity| Money(equity - cash)));
        json.decimal("totalInitialMargin", initial, 0);
        json.texts(&[("totalMaintenanceMargin", "0"), ("accountIMRate", "0"), ("accountMMRate", "0")]);
        json.texts(&[("accountIMRateByMp", "0"), ("accountMMRateByMp", "0")]);
        json.decimal("totalInitialMarginByMp", initial, 0);
        json.texts(&[("totalMaintenanceMarginByMp", "0"), ("accountLTV", "0")]);
        json.list("coin", &row.coins, |json, coin| {
            json.text("coin", coin.coin.as_str());
            json.decimal("equity", coin.equity.0, 0);
            json.decimal("usdValue", coin.equity.0, 0);
            json.decimal("walletBalance", coin.wallet_balance.0, 0);
            json.texts(&[("locked", "0"), ("spotHedgingQty", "0"), ("borrowAmount", "0"), ("accruedInterest", "0")]);
            self.total(json, "totalOrderIM", coin.order_margin);
            self.total(json, "totalPositionIM", coin.position_margin);
            json.text("totalPositionMM", "0");
            json.decimal("unrealisedPnl", coin.equity.0 - coin.wallet_balance.0, 0);
            json.texts(&[("cumRealisedPnl", "0"), ("bonus", "0")]);
            json.flag("marginCollateral", true);
            json.flag("collateralSwitch", true);
            json.texts(&[("colRes", "0"), ("spotBorrow", "0"), ("availableToWithdraw", ""), ("availableToBorrow", "")]);
        });
    }

    /// A margin figure: `""` in account modes that do not have it (6.3).
    fn total(&self, json: &mut Json, key: &str, value: Option<Money>) {
        match value {
            Some(value) => json.decimal(key, value.0, 0),
            None => json.absent(key, ""),
        }
    }

    pub(super) fn instrument(&self, json: &mut Json, row: &InstrumentRow) {
        json.text("symbol", row.symbol.as_str());
        json.whole("symbolId", 5);
        json.text("contractType", "LinearPerpetual");
        json.text("status", if row.trading { "Trading" } else { "Closed" });
        json.text("baseCoin", row.base.as_str());
        json.text("quoteCoin", row.quote.as_str());
        json.text("settleCoin", row.quote.as_str());
        json.texts(&[("symbolType", ""), ("launchTime", "1585526400000"), ("deliveryTime", "0")]);
        json.text("deliveryFeeRate", "");
        json.stamp("priceScale", row.tick_size.0.normalize().scale().max(2).into());
        json.child("leverageFilter", |json| {
            json.text("minLeverage", "1");
            json.decimal("maxLeverage", row.max_leverage.0, 2);
            json.text("leverageStep", "0.01");
        });
        json.child("priceFilter", |json| {
            json.decimal("minPrice", row.min_price.0, 2);
            json.decimal("maxPrice", row.max_price.0, 2);
            json.decimal("tickSize", row.tick_size.0, 2);
        });
        json.child("lotSizeFilter", |json| {
            json.decimal("maxOrderQty", row.max_limit_quantity.0, 3);
            json.decimal("minOrderQty", row.min_quantity.0, 3);
            json.decimal("qtyStep", row.quantity_step.0, 3);
            json.decimal("postOnlyMaxOrderQty", row.max_limit_quantity.0, 3);
            json.decimal("maxMktOrderQty", row.max_market_quantity.0, 3);
            json.decimal("minNotionalValue", row.min_notional.0, 0);
        });
        json.flag("unifiedMarginTrade", true);
        json.whole("fundingInterval", 480);
        json.texts(&[("copyTrading", "both"), ("upperFundingRate", "0.00375"), ("lowerFundingRate", "-0.00375")]);
        json.flag("isPreListing", false);
        json.null("preListingInfo");
        json.child("riskParameters", |json| {
            json.decimal("priceLimitRatioX", row.price_limit_ratio_x.0, 0);
            json.decimal("priceLimitRatioY", row.price_limit_ratio_y.0, 0);
        });
        json.text("displayName", "");
        json.flag("forbidUplWithdrawal", false);
    }

    pub(super) fn ticker(&self, json: &mut Json, row: &TickerRow) {
        json.text("symbol", row.symbol.as_str());
        json.decimal("lastPrice", row.last.0, 2);
        for (key, price) in [("indexPrice", row.index), ("markPrice", row.mark)] {
            json.decimal(key, price.unwrap_or(row.last).0, 2);
        }
        for key in ["prevPrice24h", "highPrice24h", "lowPrice24h", "prevPrice1h"] {
            json.decimal(key, row.last.0, 2);
        }
        json.texts(&[("price24hPcnt", "0"), ("openInterest", "0"), ("openInterestValue", "0")]);
        json.texts(&[("singleOpenInterest", "0"), ("singleOpenInterestValue", "0")]);
        json.texts(&[("turnover24h", "0"), ("volume24h", "0"), ("fundingRate", "0.0001"), ("nextFundingTime", "0")]);
        json.texts(&[("predictedDeliveryPrice", ""), ("basisRate", ""), ("basis", ""), ("deliveryFeeRate", "")]);
        json.text("deliveryTime", "0");
        for (key, size, price) in [("bid1Price", "bid1Size", row.bid), ("ask1Price", "ask1Size", row.ask)] {
            match price {
                Some(price) => json.decimal(key, price.0, 2),
                None => json.text(key, ""),
            }
            json.text(size, if price.is_some() { "1" } else { "" });
        }
        json.texts(&[("preOpenPrice", ""), ("preQty", ""), ("curPreListingPhase", ""), ("fundingIntervalHour", "8")]);
        json.texts(&[("fundingCap", "0.00375"), ("basisRateYear", "")]);
    }
}

fn time_in_force(row: &OrderRow, known: Option<&Order>) -> &'static str {
    match known.map(|order| order.time_in_force) {
        _ if row.is_market => "IOC",
        None | Some(TimeInForce::Gtc) => "GTC",
        Some(TimeInForce::Ioc) => "IOC",
        Some(TimeInForce::Fok) => "FOK",
        Some(TimeInForce::PostOnly) => "PostOnly",
    }
}

fn create_type(known: Option<&Order>) -> &'static str {
    known.map_or(Origin::Client, |order| order.origin).create_type()
}

fn execution_order_type(row: &ExecutionRow, order: Option<&Order>) -> &'static str {
    match order {
        _ if row.exec_type == ExecType::Funding => "UNKNOWN",
        Some(order) if order.is_market => "Market",
        _ => "Limit",
    }
}

fn exec_type(kind: &ExecType) -> &str {
    match kind {
        ExecType::Trade => "Trade",
        ExecType::AdlTrade => "AdlTrade",
        ExecType::BustTrade => "BustTrade",
        ExecType::Delivery => "Delivery",
        ExecType::Settle => "Settle",
        ExecType::BlockTrade => "BlockTrade",
        ExecType::MovePosition => "MovePosition",
        ExecType::Funding => "Funding",
        ExecType::Other(word) => word.as_str(),
    }
}

fn status(status: &OrderStatus) -> &str {
    match status {
        OrderStatus::New => "New",
        OrderStatus::PartiallyFilled => "PartiallyFilled",
        OrderStatus::Untriggered => "Untriggered",
        OrderStatus::Triggered => "Triggered",
        OrderStatus::Rejected => "Rejected",
        OrderStatus::Filled => "Filled",
        OrderStatus::Cancelled => "Cancelled",
        OrderStatus::PartiallyFilledCanceled => "PartiallyFilledCanceled",
        OrderStatus::Deactivated => "Deactivated",
        OrderStatus::Other(word) => word.as_str(),
    }
}
