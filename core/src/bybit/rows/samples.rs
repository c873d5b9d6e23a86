//! Messages as bybit-v5.md shows them; ids and values illustrative, names and types exact.

/// 2.7: an open linear order.
pub(crate) const ORDER: &str = r#"{"orderId":"fd4300ae-7847-404e-b947-b46980a4d140","orderLinkId":"test-000005","parentOrderLinkId":"","blockTradeId":"","symbol":"ETHUSDT",
"price":"1600.00","qty":"0.10","side":"Buy","isLeverage":"","positionIdx":1,"orderStatus":"New","createType":"CreateByUser","cancelType":"UNKNOWN",
"rejectReason":"EC_NoError","avgPrice":"0","leavesQty":"0.10","leavesValue":"160","cumExecQty":"0.00","cumExecValue":"0","cumExecFee":"0",
"timeInForce":"GTC","orderType":"Limit","stopOrderType":"UNKNOWN","orderIv":"","marketUnit":"","triggerPrice":"0.00","takeProfit":"2500.00","stopLoss":"1500.00",
"tpslMode":"Full","ocoTriggerBy":"","tpLimitPrice":"","slLimitPrice":"","tpTriggerBy":"LastPrice","slTriggerBy":"LastPrice","triggerDirection":0,"triggerBy":"UNKNOWN",
"lastPriceOnCreated":"","reduceOnly":false,"closeOnTrigger":false,"placeType":"","smpType":"None","smpGroup":0,"smpOrderId":"",
"slippageToleranceType":"UNKNOWN","slippageTolerance":"","createdTime":"1684738540559","updatedTime":"1684738540561","cumFeeDetail":{"USDT":"0.0"}}"#;

/// 2.7: cancelled by the user, empty where numbers were.
pub(crate) const ORDER_CANCELLED: &str = r#"{"orderId":"fd4300ae-7847-404e-b947-b46980a4d141","orderLinkId":"test-000006","symbol":"ETHUSDT","price":"1600.00","qty":"0.10",
"side":"Sell","isLeverage":"","positionIdx":0,"orderStatus":"Cancelled","cancelType":"CancelByUser","rejectReason":"EC_PerCancelRequest","avgPrice":"","leavesQty":"",
"leavesValue":"","cumExecQty":"0","cumExecValue":"","cumExecFee":"","triggerPrice":"","tpslMode":"","timeInForce":"GTC","orderType":"Limit","reduceOnly":true,
"createdTime":"1684738540559","updatedTime":"1684738540561","cumFeeDetail":""}"#;

/// 2.7: PostOnly, refused for crossing.
pub(crate) const ORDER_POST_ONLY: &str = r#"{"orderId":"c5bd5b35-0bd3-4a37-8f17-1f4e1a2d7b11","orderLinkId":"test-000007","symbol":"BTCUSDT","price":"27000.50","qty":"0.010",
"side":"Buy","positionIdx":0,"orderStatus":"Cancelled","cancelType":"UNKNOWN","rejectReason":"EC_PostOnlyWillTakeLiquidity","avgPrice":"0","leavesQty":"0.000",
"cumExecQty":"0.000","cumExecValue":"0","cumExecFee":"0","timeInForce":"PostOnly","orderType":"Limit","reduceOnly":false,
"createdTime":"1684476068369","updatedTime":"1684476068372"}"#;

/// 2.9: an execution as queried.
pub(crate) const EXECUTION: &str = r#"{"symbol":"BTCUSDT","orderId":"8c065341-7b52-4ca9-ac2c-37e31ac55c94","orderLinkId":"om-0001","side":"Buy","orderPrice":"50000.00","orderQty":"0.100","leavesQty":"0.000","createType":"CreateByUser",
"orderType":"Limit","stopOrderType":"UNKNOWN","execFee":"1.0000","execFeeV2":"","execId":"e0cbe81d-0f18-5866-9415-cf319b5dab3b","execPrice":"50000.00","execQty":"0.100",
"execType":"Trade","execValue":"5000.00","execTime":"1672282722429","feeCurrency":"","isMaker":true,"feeRate":"0.0002","tradeIv":"","markIv":"","markPrice":"50010.50",
"indexPrice":"","underlyingPrice":"","blockTradeId":"","closedSize":"0.000","extraFees":"","seq":4688002127}"#;

/// 4.4: an order pushed.
pub(crate) const PUSH_ORDER: &str = r#"{"id":"592324","topic":"order","creationTime":1700000000010,"data":[{
"category":"linear","symbol":"BTCUSDT","orderId":"9aac161b-8ed6-450d-9cab-c5cc67c21784","orderLinkId":"om-0001","parentOrderLinkId":"","blockTradeId":"","isLeverage":"",
"side":"Buy","positionIdx":0,"orderType":"Limit","timeInForce":"GTC","price":"30000.5","brokerOrderPrice":"","qty":"0.100","orderStatus":"PartiallyFilled","createType":"CreateByUser",
"cancelType":"UNKNOWN","rejectReason":"EC_NoError","avgPrice":"30000.5","leavesQty":"0.060","leavesValue":"1800.03","cumExecQty":"0.040","cumExecValue":"1200.02",
"cumExecFee":"0.240004","cumFeeDetail":{"USDT":"0.240004"},"closedPnl":"0","feeCurrency":"","stopOrderType":"","orderIv":"","marketUnit":"","triggerPrice":"","takeProfit":"","stopLoss":"",
"tpslMode":"","tpLimitPrice":"","slLimitPrice":"","tpTriggerBy":"","slTriggerBy":"","triggerDirection":0,"triggerBy":"","lastPriceOnCreated":"30010.0","reduceOnly":false,"closeOnTrigger":false,
"placeType":"","smpType":"None","smpGroup":0,"smpOrderId":"","slippageToleranceType":"UNKNOWN","slippageTolerance":"0","rpiTakerAccess":false,"rpiMatchedQty":"0",
"createdTime":"1700000000000","updatedTime":"1700000000008"}]}"#;

/// 3.3: a spot market buy that succeeded.
pub(crate) const PUSH_ORDER_SPOT: &str = r#"{"id":"100401071-20000-1252827477","topic":"order.spot","creationTime":1700000000444,"data":[{"category":"spot","symbol":"BTCUSDT","orderId":"1566542132",
"orderLinkId":"1566542133","side":"Buy","orderType":"Market","timeInForce":"IOC",
"orderStatus":"PartiallyFilledCanceled","cancelType":"UNKNOWN","rejectReason":"EC_CancelForNoFullFill","qty":"10.000000","price":"0","avgPrice":"33393.46",
"leavesQty":"0.000000","leavesValue":"0.01535546","cumExecQty":"0.000299","cumExecValue":"9.98464454","cumExecFee":"0.000000299","feeCurrency":"BTC","createdTime":"1700000000439","updatedTime":"1700000000442"}]}"#;

/// 4.5: an execution pushed.
pub(crate) const PUSH_EXECUTION: &str = r#"{"topic":"execution","id":"386825804_BTCUSDT_140612148849382","creationTime":1746270400355,"data":[{
"category":"linear","symbol":"BTCUSDT","orderId":"9aac161b-8ed6-450d-9cab-c5cc67c21784","orderLinkId":"om-0002","side":"Sell","orderPrice":"94942.5","orderQty":"0.5","leavesQty":"0",
"orderType":"Market","stopOrderType":"UNKNOWN","createType":"CreateByUser","execId":"0ab1bdf7-4219-438b-b30a-32ec863018f7","execPrice":"95900.1","execQty":"0.5","execValue":"47950.05",
"execFee":"26.3725275","feeCurrency":"USDT","feeRate":"0.00055","execType":"Trade","execPnl":"0.05","closedSize":"0.5","isMaker":false,"isLeverage":"0","marketUnit":"","markPrice":"95901.48",
"indexPrice":"","underlyingPrice":"","tradeIv":"","markIv":"","blockTradeId":"","extraFees":[],"seq":140612148849382,"execTime":"1746270400353"}]}"#;

/// 4.6: the fast form, without fee and kind.
pub(crate) const PUSH_FAST: &str = r#"{"topic":"execution.fast","creationTime":1716800399338,"data":[{"category":"linear","symbol":"ICPUSDT","execId":"3510f361-0add-5c7b-a2e7-9679810944fc","execPrice":"12.015","execQty":"3000",
"orderId":"443d63fa-b4c3-4297-b7b1-23bca88b04dc","isMaker":false,"orderLinkId":"test-00001","side":"Sell","execTime":"1716800399334","seq":34771365464}]}"#;

/// 4.7: a position pushed.
pub(crate) const PUSH_POSITION: &str = r#"{"id":"1003076014fb","topic":"position","creationTime":1762199126022,"data":[{"category":"linear","symbol":"ETHUSDT","positionIdx":0,"side":"Sell","size":"0.01","entryPrice":"3641.075",
"positionValue":"36.41075","markPrice":"3641.33","leverage":"30","positionIM":"1.23480936","positionMM":"0.20281586","positionIMByMp":"1.23480936","positionMMByMp":"0.20281586",
"breakEvenPrice":"3640.1","liqPrice":"51764.83003276","bustPrice":"","unrealisedPnl":"-0.00255","curRealisedPnl":"0.0094814","cumRealisedPnl":"-25.06579337","sessionAvgPrice":"",
"takeProfit":"0","stopLoss":"0","trailingStop":"0","tpslMode":"Full","tradeMode":0,"positionBalance":"0","positionStatus":"Normal","adlRankIndicator":2,"autoAddMargin":0,"riskId":11,
"riskLimitValue":"900000","isReduceOnly":false,"mmrSysUpdatedTime":"","leverageSysUpdatedTime":"","seq":325852190774,"openTime":1762199000000,"createdTime":"1730805600084","updatedTime":"1762199125472"}]}"#;

/// 5.1: a linear instrument.
pub(crate) const INSTRUMENT_LINEAR: &str = r#"{"symbol":"BTCUSDT","symbolId":5,"contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","symbolType":"",
"launchTime":"1585526400000","deliveryTime":"0","deliveryFeeRate":"","priceScale":"2",
"leverageFilter":{"minLeverage":"1","maxLeverage":"100.00","leverageStep":"0.01"},
"priceFilter":{"minPrice":"0.10","maxPrice":"1999999.80","tickSize":"0.10"},
"lotSizeFilter":{"maxOrderQty":"1190.000","minOrderQty":"0.001","qtyStep":"0.001","postOnlyMaxOrderQty":"1190.000","maxMktOrderQty":"500.000","minNotionalValue":"5"},
"unifiedMarginTrade":true,"fundingInterval":480,"copyTrading":"both","upperFundingRate":"0.00375","lowerFundingRate":"-0.00375","isPreListing":false,"preListingInfo":null,
"riskParameters":{"priceLimitRatioX":"0.01","priceLimitRatioY":"0.02"},"displayName":"","forbidUplWithdrawal":false}"#;

/// 5.1: a spot instrument.
pub(crate) const INSTRUMENT_SPOT: &str = r#"{"symbolId":9,"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","innovation":"0","symbolType":"","status":"Trading","marginTrading":"utaOnly","stTag":"0",
"lotSizeFilter":{"basePrecision":"0.000001","quotePrecision":"0.0000001","minOrderQty":"0.000011","maxOrderQty":"83","minOrderAmt":"5","maxOrderAmt":"8000000","maxLimitOrderQty":"83","maxMarketOrderQty":"41.5","postOnlyMaxLimitOrderSize":"60000"},
"priceFilter":{"tickSize":"0.1"},"riskParameters":{"priceLimitRatioX":"0.005","priceLimitRatioY":"0.01"}}"#;

/// 6.1: a spot ticker.
pub(crate) const TICKER_SPOT: &str = r#"{"symbol":"BTCUSDT","bid1Price":"20517.96","bid1Size":"2","ask1Price":"20527.77","ask1Size":"1.862172","lastPrice":"20533.13","prevPrice24h":"20393.48","price24hPcnt":"0.0068","highPrice24h":"21128.12","lowPrice24h":"20318.89","turnover24h":"243765620.65899866","volume24h":"11801.27771","usdIndexPrice":"20784.12009279"}"#;

/// 6.1: a linear ticker on a book without bids.
pub(crate) const TICKER_LINEAR: &str = r#"{"symbol":"BTCUSDT","lastPrice":"20533.10","indexPrice":"20531.05","markPrice":"20532.50","bid1Price":"","bid1Size":"","ask1Price":"20527.70","ask1Size":"1.862","fundingRate":"0.0001"}"#;

/// 6.3: the wallet.
pub(crate) const WALLET: &str = r#"{"accountType":"UNIFIED","totalEquity":"10262.91","totalWalletBalance":"9684.46","totalMarginBalance":"9684.46","totalAvailableBalance":"9556.60","totalPerpUPL":"0","totalInitialMargin":"127.86","totalMaintenanceMargin":"12.79",
"accountIMRate":"0.0132","accountMMRate":"0.0013","accountIMRateByMp":"0.0132","accountMMRateByMp":"0.0013","totalInitialMarginByMp":"127.86","totalMaintenanceMarginByMp":"12.79","accountLTV":"0",
"coin":[{"coin":"USDT","equity":"10226.20","usdValue":"10226.20","walletBalance":"9647.75","locked":"0","spotHedgingQty":"0","borrowAmount":"0","accruedInterest":"0","totalOrderIM":"0","totalPositionIM":"127.86","totalPositionMM":"12.79",
"unrealisedPnl":"0","cumRealisedPnl":"-12.3","bonus":"0","marginCollateral":true,"collateralSwitch":true,"colRes":"0","spotBorrow":"0","availableToWithdraw":"","availableToBorrow":""}]}"#;

/// 6.4: an open position.
pub(crate) const POSITION: &str = r#"{"positionIdx":0,"riskId":1,"riskLimitValue":"2000000","symbol":"BTCUSDT","side":"Buy","size":"0.5","avgPrice":"50000.00","positionValue":"25000","positionStatus":"Normal","autoAddMargin":0,"adlRankIndicator":2,
"leverage":"10","breakEvenPrice":"50055.03","markPrice":"50500.00","liqPrice":"45000.00","bustPrice":"","positionIM":"2537.375","positionIMByMp":"2537.375","positionMM":"138.625","positionMMByMp":"138.625","positionBalance":"0",
"tradeMode":0,"tpslMode":"Full","takeProfit":"","stopLoss":"","trailingStop":"0.00","sessionAvgPrice":"","unrealisedPnl":"250.00","curRealisedPnl":"-13.75","cumRealisedPnl":"500.00","seq":5723621632,"isReduceOnly":false,
"mmrSysUpdatedTime":"","leverageSysUpdatedTime":"","openTime":1697673000000,"createdTime":"1676538056258","updatedTime":"1697673600012"}"#;

/// 6.4: a flat one that never traded.
pub(crate) const POSITION_FLAT: &str = r#"{"positionIdx":2,"symbol":"BTCUSDT","side":"","size":"0","avgPrice":"0","positionValue":"","leverage":"10","liqPrice":"","unrealisedPnl":"","seq":-1,"createdTime":"1676538056258","updatedTime":"1697673600012"}"#;
