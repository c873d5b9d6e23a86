//! Bytes to typed requests (bybit-v5.md 2). What this fake does not do yet is refused with its name, never ignored.

use super::WireRequest;
use super::params::{Params, bad};
use crate::exchange::ids::link_id;
use crate::exchange::refusal::{self, say};
use crate::exchange::{Category, Refine};
use order_manager_core::bybit::{
    Amend, ApiError, Cancel, Create, ExecutionQuery, Operation, OrderKind, OrderQuery, OrderStatus, Request,
    TimeInForce,
};
use order_manager_core::unit::{Decimal, ExchangeTime, OrderLinkId, Price, Quantity, Ratio, Side, Symbol};

/// What the client wants, as far as the typed words can say it, and the rest of it.
pub(super) fn request(wire: &WireRequest, operation: Operation) -> Result<(Request, Refine), ApiError> {
    let params = Params::of(wire)?;
    let mut refine = Refine::default();
    let request = match operation {
        Operation::Create => Request::Create(create(&params)?),
        Operation::Cancel => Request::Cancel(Cancel {
            category: category(&params)?,
            symbol: symbol(&params)?,
            link: target(&params, &mut refine)?,
            order_id: refine.order_id,
        }),
        Operation::Amend => Request::Amend(amend(&params, &mut refine)?),
        Operation::OpenOrders => {
            refine.recently_closed = params.whole("openOnly")?.is_some_and(|only| only > 0);
            Request::OpenOrders(order_query(&params)?)
        }
        Operation::OrderHistory => {
            refine.status = params.text("orderStatus")?.map(status).transpose()?;
            Request::OrderHistory(order_query(&params)?)
        }
        Operation::Executions => Request::Executions(execution_query(&params)?),
        Operation::Instruments => Request::Instrument { category: category(&params)?, symbol: any_symbol(&params)? },
        Operation::Tickers => Request::Ticker { category: category(&params)?, symbol: any_symbol(&params)? },
        Operation::Wallet => match params.text("accountType")? {
            Some("UNIFIED") => Request::Wallet,
            _ => return Err(say((10001, "accountType only support UNIFIED"))),
        },
        Operation::Positions => Request::Positions {
            category: category(&params)?,
            symbol: params.short("symbol")?,
            settle_coin: params.short("settleCoin")?,
            cursor: params.short("cursor")?.map(Box::new),
        },
        Operation::ServerTime => Request::ServerTime,
    };
    Ok((request, refine))
}

fn create(params: &Params) -> Result<Create, ApiError> {
    for name in ["triggerPrice", "takeProfit", "stopLoss", "bboSideType", "orderIv"] {
        unsupported(name, params.text(name)?.is_some_and(|value| value != "0"))?;
    }
    unsupported("closeOnTrigger", params.flag("closeOnTrigger")?)?;
    unsupported("smpType", params.text("smpType")?.is_some_and(|smp| smp != "None"))?;
    let side = match params.needed("side")? {
        "Buy" => Side::Buy,
        "Sell" => Side::Sell,
        _ => return Err(bad("side")),
    };
    let kind = match params.needed("orderType")? {
        "Market" => OrderKind::Market { slippage: slippage(params)? },
        "Limit" => OrderKind::Limit {
            price: params.decimal("price")?.map(Price).ok_or_else(|| bad("price"))?,
            time_in_force: time_in_force(params)?,
        },
        _ => return Err(bad("orderType")),
    };
    Ok(Create {
        category: category(params)?,
        symbol: symbol(params)?,
        side,
        kind,
        quantity: params.decimal("qty")?.map(Quantity).ok_or_else(|| bad("qty"))?,
        reduce_only: params.flag("reduceOnly")?,
        position_idx: params.whole("positionIdx")?.unwrap_or(0).try_into().map_err(|_| bad("positionIdx"))?,
        link: link(params)?.or_else(|| link_id("")).ok_or_else(|| bad("orderLinkId"))?,
    })
}

fn amend(params: &Params, refine: &mut Refine) -> Result<Amend, ApiError> {
    for name in ["triggerPrice", "takeProfit", "stopLoss"] {
        unsupported(name, params.text(name)?.is_some())?;
    }
    Ok(Amend {
        category: category(params)?,
        symbol: symbol(params)?,
        link: target(params, refine)?,
        price: params.decimal("price")?.map(Price),
        quantity: params.decimal("qty")?.map(Quantity),
    })
}

fn order_query(params: &Params) -> Result<OrderQuery, ApiError> {
    unsupported("baseCoin", params.text("baseCoin")?.is_some())?;
    Ok(OrderQuery {
        category: category(params)?,
        symbol: params.short("symbol")?,
        settle_coin: params.short("settleCoin")?,
        link: link(params)?,
        order_id: params.short("orderId")?,
        start: time(params, "startTime")?,
        end: time(params, "endTime")?,
        limit: limit(params, 20)?,
        cursor: params.short("cursor")?.map(Box::new),
    })
}

fn execution_query(params: &Params) -> Result<ExecutionQuery, ApiError> {
    unsupported("baseCoin", params.text("baseCoin")?.is_some())?;
    unsupported("execType", params.text("execType")?.is_some_and(|kind| kind != "Trade"))?;
    Ok(ExecutionQuery {
        category: category(params)?,
        symbol: params.short("symbol")?,
        link: link(params)?,
        order_id: params.short("orderId")?,
        start: time(params, "startTime")?,
        end: time(params, "endTime")?,
        limit: limit(params, 50)?,
        cursor: params.short("cursor")?.map(Box::new),
    })
}

pub(super) fn category(params: &Params) -> Result<Category, ApiError> {
    match params.text("category")? {
        Some("linear") => Ok(Category::Linear),
        Some("spot") => Ok(Category::Spot),
        _ => Err(say((10001, "Illegal category"))),
    }
}

pub(super) fn symbol(params: &Params) -> Result<Symbol, ApiError> {
    params.short("symbol").map_err(|_| say(refusal::NOT_SUPPORTED))?.ok_or_else(|| bad("symbol"))
}

fn any_symbol(params: &Params) -> Result<Symbol, ApiError> {
    Ok(params.short("symbol").map_err(|_| say(refusal::NOT_SUPPORTED))?.unwrap_or_default())
}

fn link(params: &Params) -> Result<Option<OrderLinkId>, ApiError> {
    let text = params.text("orderLinkId")?;
    text.map(|text| link_id(text).ok_or(say(refusal::LINK_LENGTH))).transpose()
}

/// Which order to cancel or amend: by Bybit's id, which wins, or by link id.
fn target(params: &Params, refine: &mut Refine) -> Result<OrderLinkId, ApiError> {
    refine.order_id = params.short("orderId")?;
    let link = link(params)?;
    if link.is_none() && refine.order_id.is_none() {
        return Err(say((10001, "params error: orderId or orderLinkId is required")));
    }
    link.or_else(|| link_id("")).ok_or_else(|| bad("orderLinkId"))
}

fn time_in_force(params: &Params) -> Result<TimeInForce, ApiError> {
    match params.text("timeInForce")? {
        None | Some("GTC") => Ok(TimeInForce::Gtc),
        Some("IOC") => Ok(TimeInForce::Ioc),
        Some("FOK") => Ok(TimeInForce::Fok),
        Some("PostOnly") => Ok(TimeInForce::PostOnly),
        Some("RPI") => Err(say((110119, "RPI orders are not allowed"))),
        Some(_) => Err(bad("timeInForce")),
    }
}

fn slippage(params: &Params) -> Result<Option<Ratio>, ApiError> {
    match params.text("slippageToleranceType")? {
        None => Ok(None),
        Some("Percent") => {
            let percent = params.decimal("slippageTolerance")?.ok_or_else(|| bad("slippageTolerance"))?;
            let ratio = percent.checked_div(Decimal::ONE_HUNDRED).ok_or_else(|| bad("slippageTolerance"))?;
            Ok(Some(Ratio(ratio)))
        }
        Some(_) => Err(bad("slippageToleranceType")),
    }
}

fn status(word: &str) -> Result<OrderStatus, ApiError> {
    Ok(match word {
        "New" => OrderStatus::New,
        "PartiallyFilled" => OrderStatus::PartiallyFilled,
        "Untriggered" => OrderStatus::Untriggered,
        "Rejected" => OrderStatus::Rejected,
        "Filled" => OrderStatus::Filled,
        "Cancelled" => OrderStatus::Cancelled,
        "PartiallyFilledCanceled" => OrderStatus::PartiallyFilledCanceled,
        "Deactivated" => OrderStatus::Deactivated,
        _ => return Err(bad("orderStatus")),
    })
}

fn time(params: &Params, name: &str) -> Result<Option<ExchangeTime>, ApiError> {
    Ok(params.whole(name)?.map(ExchangeTime))
}

pub(super) fn limit(params: &Params, default: u32) -> Result<u32, ApiError> {
    params.whole("limit")?.map_or(Ok(default), |limit| limit.try_into().map_err(|_| bad("limit")))
}

fn unsupported(name: &str, is_used: bool) -> Result<(), ApiError> {
    if is_used { Err(say((10001, &format!("params error: {name} is not supported here")))) } else { Ok(()) }
}
