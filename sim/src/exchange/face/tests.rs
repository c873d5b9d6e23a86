//! Bytes against the samples and vectors of bybit-v5.md.

mod spellings;

use super::*;
use crate::exchange::tests::{Desk, T0, limit, link, market, px, q};
use crate::exchange::{NoLiquidity, Outbound};
use order_manager_core::bybit::{Create, OrderKind, TimeInForce};
use order_manager_core::unit::{Side, Span};
use serde_json::Value;
use std::collections::BTreeSet;

const KEY: &str = "test_api_key";

fn credentials() -> Credentials {
    Credentials { key: KEY.into(), secret: "test_secret".into() }
}

/// A request signed at this moment with a window of 5000 ms.
fn signed(now: Timestamp, method: &str, path: &str, payload: &str) -> WireRequest {
    let stamp = (now.0 / 1_000).to_string();
    let sign = auth::signature("test_secret", format!("{stamp}{KEY}5000{payload}").as_bytes());
    let get = method == "GET";
    WireRequest {
        method: method.into(),
        path: path.into(),
        query: if get { payload.into() } else { String::new() },
        body: if get { Vec::new() } else { payload.into() },
        headers: WireHeaders {
            api_key: Some(KEY.into()),
            timestamp: Some(stamp),
            recv_window: Some("5000".into()),
            sign: Some(sign),
        },
    }
}

fn call(desk: &mut Desk, method: &str, path: &str, payload: &str) -> Value {
    let wire = signed(desk.now, method, path, payload);
    let reply = serve(&mut desk.exchange, desk.now, &wire, &credentials());
    assert_eq!(reply.status, 200, "{path}");
    serde_json::from_slice(&reply.body).unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn has_keys(value: &Value, expected: &str) {
    let missing: Vec<_> = expected.split_whitespace().filter(|key| !keys(value).contains(key)).collect();
    assert!(missing.is_empty(), "missing {missing:?} in {value}");
}

#[test]
fn the_signing_vectors_of_1_2() {
    let sign = |payload: &str| auth::signature("test_secret", format!("1700000000000{KEY}5000{payload}").as_bytes());
    let vectors = [
        ("category=linear&symbol=BTCUSDT", "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7"),
        (
            "category=linear&cursor=page_token%3D39380%26&limit=50",
            "1291989abd2118604e07b855711dcdecf2453af3ae6b3f3ce7ce74646ec2d41c",
        ),
        (
            r#"{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "test-order-1"}"#,
            "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1",
        ),
        ("", "cfffd774219bfa1d400476f699f830daaedcd3c41faa1dbdda95a8f4dd8170cc"),
    ];
    for (payload, expected) in vectors {
        assert_eq!(sign(payload), expected, "{payload}");
    }
}

/// The fourth vector of 1.2, sent as a request with the documented signature.
#[test]
fn a_documented_create_goes_through() {
    let body = r#"{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001","price":"50000","timeInForce":"GTC","positionIdx":0,"orderLinkId":"om-0001"}"#;
    let mut wire = signed(T0, "POST", "/v5/order/create", body);
    wire.headers.sign = Some("61b27801813aa5030a26fe8a6dae50c1313c6a6474e6e6a737a6824872d24dcd".into());
    let mut desk = Desk::with(|config| config.budgets.create = 10);
    let reply = serve(&mut desk.exchange, T0, &wire, &credentials());
    let json: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.limits.limit, reply.limits.remaining), (Some(10), Some(9)));
    assert_eq!(json["retCode"], 0);
    assert_eq!(json["result"]["orderLinkId"], "om-0001");
    assert_eq!(json["result"]["orderId"].as_str().unwrap().len(), 36);
    assert_eq!(json["time"], 1_700_000_000_000_u64);
    let order = desk.exchange.truth().order_of(link("om-0001")).unwrap();
    assert_eq!((order.state.quantity, order.state.price), (q("0.001"), px("50000")));

    wire.body.push(b' ');
    let reply = serve(&mut desk.exchange, T0, &wire, &credentials());
    let json: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(json["retCode"], 10004, "one byte more than was signed");
    let words = json["retMsg"].as_str().unwrap();
    assert!(words.starts_with("error sign! origin_string[1700000000000test_api_key5000{"), "{words}");
}

#[test]
fn who_may_not_come_in() {
    let mut desk = Desk::new();
    let good = signed(T0, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT");
    let mut status = |change: &dyn Fn(&mut WireRequest)| {
        let mut wire = good.clone();
        change(&mut wire);
        let reply = serve(&mut desk.exchange, T0, &wire, &credentials());
        let code = serde_json::from_slice::<Value>(&reply.body).ok().and_then(|json| json["retCode"].as_i64());
        (reply.status, code)
    };
    assert_eq!(status(&|_| {}), (200, Some(0)));
    assert_eq!(status(&|wire| wire.headers.sign = None), (401, None));
    assert_eq!(status(&|wire| wire.headers.timestamp = None), (401, None));
    assert_eq!(status(&|wire| wire.headers.api_key = Some("other".into())), (200, Some(10003)));
    assert_eq!(status(&|wire| wire.query.push('&')), (200, Some(10004)));
    assert_eq!(status(&|wire| wire.body = b"{}".to_vec()), (403, None));
    assert_eq!(status(&|wire| wire.path = "/v5/order/nothing".into()), (404, None));
    assert_eq!(status(&|wire| wire.method = "get".into()), (400, None));
    let late = T0.after(Span::millis(5_001));
    let reply = serve(&mut desk.exchange, late, &good, &credentials());
    let json: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(json["retCode"], 10002);
}

#[test]
fn parameters_follow_the_rules_of_2() {
    let mut desk = Desk::new();
    let order = |more: &str| {
        format!(
            r#"{{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.01","price":"59000"{more}}}"#
        )
    };
    let mut code = |method: &str, path: &str, payload: &str| call(&mut desk, method, path, payload)["retCode"].clone();
    let create = "/v5/order/create";
    assert_eq!(code("POST", create, &order(r#","orderLinkId":"a","reduceOnly":null,"triggerPrice":null"#)), 0);
    assert_eq!(code("POST", create, &order("")), 0, "no link id is needed");
    assert_eq!(code("POST", create, &order(r#","orderLinkId":"0123456789012345678901234567890123456""#)), 10001);
    assert_eq!(code("POST", create, &order(r#","triggerPrice":"60000""#)), 10001);
    assert_eq!(code("POST", create, &order("").replace("linear", "lineal")), 10001);
    assert_eq!(code("POST", create, &order("").replace("\"0.01\"", "0.01")), 10001, "numbers are texts");
    assert_eq!(code("POST", create, "[]"), 10001);
    assert_eq!(code("POST", "/v5/order/cancel", r#"{"category":"linear","symbol":"BTCUSDT"}"#), 10001);
    let cancel = r#"{"category":"linear","symbol":"BTCUSDT","orderId":null,"orderLinkId":"a"}"#;
    assert_eq!(code("POST", "/v5/order/cancel", cancel), 0);
    assert_eq!(code("GET", "/v5/order/realtime", "category=linear"), 10001);
    assert_eq!(code("GET", "/v5/order/realtime", "category=linear&settleCoin=USDT"), 0);
    assert_eq!(code("GET", "/v5/order/realtime", "category=option&settleCoin=USDT"), 10001);
    assert_eq!(code("GET", "/v5/order/history", "category=linear&orderStatus=New"), 181017);
    assert_eq!(code("GET", "/v5/order/history", "category=linear&orderStatus=Filled"), 0);
    assert_eq!(code("GET", "/v5/execution/list", "category=linear&startTime=0&endTime=604800001"), 181010);
    assert_eq!(code("GET", "/v5/account/wallet-balance", "accountType=SPOT"), 10001);
}

#[test]
fn rows_have_bybits_keys_and_spellings() {
    let mut desk = Desk::new();
    desk.create(limit("open", Side::Buy, "0.1", "59900", TimeInForce::PostOnly)).unwrap();
    desk.create(limit("gone", Side::Buy, "0.1", "59900", TimeInForce::Gtc)).unwrap();
    desk.create(market("taken", Side::Sell, "0.2")).unwrap();
    desk.wait(20);
    desk.cancel("gone").unwrap();
    desk.wait(1_000);
    let open = call(&mut desk, "GET", "/v5/order/realtime", "category=linear&symbol=BTCUSDT");
    let row = &open["result"]["list"][0];
    has_keys(row, REST_ORDER);
    assert_eq!(open["result"]["category"], "linear");
    assert_eq!((&row["orderLinkId"], &row["timeInForce"]), (&Value::from("open"), &Value::from("PostOnly")));
    assert_eq!((&row["price"], &row["qty"], &row["avgPrice"]), (&"59900.00".into(), &"0.1".into(), &"0".into()));
    assert_eq!(row["createdTime"], "1700000000000");
    let gone = call(&mut desk, "GET", "/v5/order/history", "category=linear&orderLinkId=gone");
    let row = &gone["result"]["list"][0];
    assert_eq!((&row["leavesQty"], &row["rejectReason"]), (&"".into(), &"EC_PerCancelRequest".into()));
    let fills = call(&mut desk, "GET", "/v5/execution/list", "category=linear&orderLinkId=taken");
    let row = &fills["result"]["list"][0];
    has_keys(row, REST_EXECUTION);
    assert_eq!((&row["feeRate"], &row["execFee"]), (&"0.00055".into(), &"6.599989".into()));
    assert_eq!((&row["orderType"], &row["leavesQty"]), (&"Market".into(), &"0.000".into()));
    let position = call(&mut desk, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT");
    has_keys(&position["result"]["list"][0], POSITION);
    assert_eq!(position["result"]["list"][0]["avgPrice"], "59999.90");
    let flat = call(&mut desk, "GET", "/v5/position/list", "category=linear&symbol=ETHUSDT");
    let row = &flat["result"]["list"][0];
    assert_eq!((&row["side"], &row["size"], &row["seq"]), (&"".into(), &"0".into(), &(-1).into()));
    let wallet = call(&mut desk, "GET", "/v5/account/wallet-balance", "accountType=UNIFIED");
    has_keys(&wallet["result"]["list"][0], WALLET);
    has_keys(&wallet["result"]["list"][0]["coin"][0], COIN);
    let rules = call(&mut desk, "GET", "/v5/market/instruments-info", "category=linear&symbol=BTCUSDT");
    let row = &rules["result"]["list"][0];
    has_keys(row, INSTRUMENT);
    assert_eq!(row["lotSizeFilter"]["maxOrderQty"], "1190.000");
    assert_eq!(row["priceFilter"]["maxPrice"], "1999999.80");
    let all = call(&mut desk, "GET", "/v5/market/instruments-info", "category=linear");
    assert_eq!(all["result"]["list"].as_array().unwrap().len(), 2);
    let ticker = call(&mut desk, "GET", "/v5/market/tickers", "category=linear&symbol=BTCUSDT");
    has_keys(&ticker["result"]["list"][0], TICKER);
    let time = call(&mut desk, "GET", "/v5/market/time", "");
    assert_eq!(time["result"]["timeNano"], "1700000001020000000");
}

#[test]
fn pushes_have_bybits_keys_and_spellings() {
    let mut desk = Desk::new();
    desk.create(market("a", Side::Buy, "0.1")).unwrap();
    desk.wait(20);
    let pushes: Vec<Outbound> = desk.pushes.drain(..).collect();
    let texts = pushes.iter().map(|out| push_text_of(&desk.exchange, &out.push));
    let bare = pushes.iter().map(|out| push_text(&out.push));
    for (full, bare) in texts.zip(bare) {
        let (full, bare): (Value, Value) =
            (serde_json::from_slice(&full).unwrap(), serde_json::from_slice(&bare).unwrap());
        has_keys(&full, "id topic creationTime data");
        assert_eq!(full["creationTime"], 1_700_000_000_005_u64);
        assert_eq!(keys(&full["data"][0]), keys(&bare["data"][0]));
        let row = &full["data"][0];
        match full["topic"].as_str().unwrap() {
            "order" => {
                has_keys(row, STREAM_ORDER);
                assert_eq!((&row["cumExecQty"], &row["leavesQty"]), (&"0.100".into(), &"0.000".into()));
                assert_eq!(row["cumFeeDetail"]["USDT"], "3.3000055");
            }
            "execution" => {
                has_keys(row, STREAM_EXECUTION);
                assert_eq!((&row["seq"], &row["isMaker"]), (&1.into(), &false.into()));
            }
            "position" => {
                has_keys(row, &POSITION.replace("avgPrice", "category entryPrice"));
                assert_eq!(row["entryPrice"], "60000.10");
            }
            "wallet" => has_keys(row, WALLET),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn cursors_work_verbatim_and_encoded_once_more() {
    let mut desk = Desk::new();
    for name in ["a", "b", "c"] {
        desk.create(limit(name, Side::Buy, "0.1", "59900", TimeInForce::Gtc)).unwrap();
        desk.wait(20);
    }
    let first = call(&mut desk, "GET", "/v5/order/realtime", "category=linear&symbol=BTCUSDT&limit=2");
    let cursor = first["result"]["nextPageCursor"].as_str().unwrap().to_owned();
    assert_eq!(cursor, "page_token%3D1%26");
    for sent in [cursor.clone(), cursor.replace('%', "%25")] {
        let query = format!("category=linear&symbol=BTCUSDT&limit=2&cursor={sent}");
        let next = call(&mut desk, "GET", "/v5/order/realtime", &query);
        assert_eq!(next["result"]["list"][0]["orderLinkId"], "a", "{sent}");
    }
}

#[test]
fn an_order_without_a_link_is_cancelled_by_bybits_id() {
    let mut desk = Desk::new();
    let body =
        r#"{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.01","price":"59900"}"#;
    let id = call(&mut desk, "POST", "/v5/order/create", body)["result"]["orderId"].as_str().unwrap().to_owned();
    desk.wait(20);
    let body = format!(r#"{{"category":"linear","symbol":"BTCUSDT","orderId":"{id}","orderLinkId":"other"}}"#);
    assert_eq!(call(&mut desk, "POST", "/v5/order/cancel", &body)["retCode"], 0);
    desk.wait(20);
    assert!(desk.exchange.truth().orders[0].is_closed());
}

#[test]
fn refusals_carry_code_words_and_an_empty_result() {
    let mut desk = Desk::with(|config| {
        config.no_liquidity = NoLiquidity::Refuse;
        config.liquidity.best = q("0");
    });
    let body = r#"{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.01","slippageToleranceType":"Percent","slippageTolerance":"0.5"}"#;
    let json = call(&mut desk, "POST", "/v5/order/create", body);
    assert_eq!(json["retCode"], 10001);
    assert!(json["retMsg"].as_str().unwrap().contains("]buy: ["), "{json}");
    assert_eq!(json["result"], serde_json::json!({}));
    let slippage = |create: &Create| matches!(create.kind, OrderKind::Market { slippage: Some(_) });
    let wire = signed(desk.now, "POST", "/v5/order/create", body);
    let request = read::request(&wire, Operation::Create).unwrap().0;
    assert!(matches!(request, order_manager_core::bybit::Request::Create(create) if slippage(&create)));
}

const REST_ORDER: &str = "orderId orderLinkId parentOrderLinkId blockTradeId symbol price qty side isLeverage \
    positionIdx orderStatus createType cancelType rejectReason avgPrice leavesQty leavesValue cumExecQty cumExecValue \
    cumExecFee timeInForce orderType stopOrderType orderIv marketUnit triggerPrice takeProfit stopLoss tpslMode \
    ocoTriggerBy tpLimitPrice slLimitPrice tpTriggerBy slTriggerBy triggerDirection triggerBy lastPriceOnCreated \
    reduceOnly closeOnTrigger placeType smpType smpGroup smpOrderId slippageToleranceType slippageTolerance \
    createdTime updatedTime cumFeeDetail";
const STREAM_ORDER: &str = "category symbol orderId orderLinkId parentOrderLinkId blockTradeId isLeverage side \
    positionIdx orderType timeInForce price brokerOrderPrice qty orderStatus createType cancelType rejectReason \
    avgPrice leavesQty leavesValue cumExecQty cumExecValue cumExecFee cumFeeDetail closedPnl feeCurrency stopOrderType \
    orderIv marketUnit triggerPrice takeProfit stopLoss tpslMode tpLimitPrice slLimitPrice tpTriggerBy slTriggerBy \
    triggerDirection triggerBy lastPriceOnCreated reduceOnly closeOnTrigger placeType smpType smpGroup smpOrderId \
    slippageToleranceType slippageTolerance rpiTakerAccess rpiMatchedQty createdTime updatedTime";
const REST_EXECUTION: &str = "symbol orderId orderLinkId side orderPrice orderQty leavesQty createType orderType \
    stopOrderType execFee execFeeV2 execId execPrice execQty execType execValue execTime feeCurrency isMaker feeRate \
    tradeIv markIv markPrice indexPrice underlyingPrice blockTradeId closedSize extraFees seq";
const STREAM_EXECUTION: &str = "category symbol orderId orderLinkId side orderPrice orderQty leavesQty orderType \
    stopOrderType createType execId execPrice execQty execValue execFee feeCurrency feeRate execType execPnl \
    closedSize isMaker isLeverage marketUnit markPrice indexPrice underlyingPrice tradeIv markIv blockTradeId \
    extraFees seq execTime";
const POSITION: &str = "positionIdx riskId riskLimitValue symbol side size avgPrice positionValue positionStatus \
    autoAddMargin adlRankIndicator leverage breakEvenPrice markPrice liqPrice bustPrice positionIM positionIMByMp \
    positionMM positionMMByMp positionBalance tradeMode tpslMode takeProfit stopLoss trailingStop sessionAvgPrice \
    unrealisedPnl curRealisedPnl cumRealisedPnl seq isReduceOnly mmrSysUpdatedTime leverageSysUpdatedTime openTime \
    createdTime updatedTime";
const WALLET: &str = "accountType totalEquity totalWalletBalance totalMarginBalance totalAvailableBalance \
    totalPerpUPL totalInitialMargin totalMaintenanceMargin accountIMRate accountMMRate accountIMRateByMp \
    accountMMRateByMp totalInitialMarginByMp totalMaintenanceMarginByMp accountLTV coin";
const COIN: &str = "coin equity usdValue walletBalance locked spotHedgingQty borrowAmount accruedInterest \
    totalOrderIM totalPositionIM totalPositionMM unrealisedPnl cumRealisedPnl bonus marginCollateral collateralSwitch \
    colRes spotBorrow availableToWithdraw availableToBorrow";
const INSTRUMENT: &str = "symbol symbolId contractType status baseCoin quoteCoin settleCoin symbolType launchTime \
    deliveryTime deliveryFeeRate priceScale leverageFilter priceFilter lotSizeFilter unifiedMarginTrade \
    fundingInterval copyTrading upperFundingRate lowerFundingRate isPreListing preListingInfo riskParameters \
    displayName forbidUplWithdrawal";
const TICKER: &str = "symbol lastPrice indexPrice markPrice prevPrice24h price24hPcnt highPrice24h lowPrice24h \
    prevPrice1h openInterest openInterestValue singleOpenInterest singleOpenInterestValue turnover24h volume24h \
    fundingRate nextFundingTime predictedDeliveryPrice basisRate basis deliveryFeeRate deliveryTime ask1Size \
    bid1Price ask1Price bid1Size preOpenPrice preQty curPreListingPhase fundingIntervalHour fundingCap basisRateYear";
