//! However Bybit spells it, the same is read (bybit-v5.md 8.2 Q20, Q21, Q29, Q30, Q32); and what the exchange answers
//! is the same on both links, other words for it included (Q31).

use super::*;
use crate::exchange::{Act, Quirk, Signed, Spell, clock};
use order_manager_core::bybit::{ApiError, Push, PushRows, Request, push, rest};
use order_manager_core::unit::{Money, Ratio, Text};

/// What typed values show nothing of.
const SPELLINGS: [Spell; 5] =
    [Spell::EmptyNumbers, Spell::NullNumbers, Spell::BareNumbers, Spell::BareEnvelope, Spell::NewFields];

/// Everything that a client can ask about an account with an open order, a filled one and one that was cancelled.
fn questions() -> Vec<Request> {
    let orders = crate::exchange::tests::orders_of(None);
    let executions = crate::exchange::tests::executions_of(None);
    let (category, symbol) = (orders.category, orders.symbol.unwrap());
    let settle_coin = Some(Text::clipped("USDT"));
    vec![
        Request::OpenOrders(orders.clone()),
        Request::OrderHistory(orders),
        Request::Executions(executions),
        Request::Positions { category, symbol: Some(symbol), settle_coin, cursor: None },
        Request::Wallet,
        Request::Instrument { category, symbol },
        Request::Ticker { category, symbol },
        Request::Create(limit("far", Side::Buy, "500", "59000", TimeInForce::Gtc)),
    ]
}

/// The answer by bytes, as the order manager reads it.
fn by_bytes(desk: &mut Desk, request: &Request) -> order_manager_core::bybit::ApiReply {
    let http = rest::encode(request);
    let (method, payload) = (http.method.as_str(), http.payload());
    let wire = signed(desk.now, method, http.path, payload);
    let reply = serve(&mut desk.exchange, desk.now, &wire, &credentials());
    rest::decode(request.operation(), reply.status, reply.limits, &reply.body)
}

fn by_value(desk: &mut Desk, request: &Request) -> order_manager_core::bybit::ApiReply {
    let signed = Signed { timestamp: clock(desk.now), recv_window_ms: 5_000 };
    desk.exchange.handle(desk.now, signed, request)
}

fn busy() -> Desk {
    let mut desk = Desk::new();
    desk.create(limit("open", Side::Buy, "0.1", "59000", TimeInForce::Gtc)).unwrap();
    desk.create(market("filled", Side::Buy, "0.1")).unwrap();
    desk.create(limit("ioc", Side::Buy, "0.1", "59000", TimeInForce::Ioc)).unwrap();
    desk.wait(2_000);
    desk
}

#[test]
fn however_it_is_spelled_the_same_is_read() {
    for what in SPELLINGS {
        let (mut usual, mut desk) = (busy(), busy());
        desk.exchange.quirk(desk.now, &Quirk::Spell { what, length: Span::secs(60) });
        for request in questions() {
            let (usual, odd) = (by_bytes(&mut usual, &request), by_bytes(&mut desk, &request));
            assert_eq!(usual.result, odd.result, "{what:?} {request:?}");
        }
        desk.exchange.set_price(desk.now, crate::exchange::tests::btc(), crate::exchange::tests::px("58000"));
        desk.wait(100);
        for Outbound { push, .. } in std::mem::take(&mut desk.pushes) {
            let text = push_text_of(&desk.exchange, &push);
            let mut read = push::decode(&text).unwrap();
            if let (PushRows::Wallets(read), PushRows::Wallets(said)) = (&mut read.rows, &push.rows) {
                // No margin and a margin that is not told are two things here: only equity and cash have to be told.
                read[0].coins[0].order_margin = said[0].coins[0].order_margin;
            }
            assert_eq!(read.rows, push.rows, "{what:?} {}", String::from_utf8_lossy(&text));
        }
    }
}

#[test]
fn each_spelling_spells_something_otherwise() {
    let usual = busy();
    for what in SPELLINGS {
        let mut desk = usual.clone_desk();
        desk.exchange.quirk(desk.now, &Quirk::Spell { what, length: Span::secs(60) });
        let differs = questions().iter().any(|request| {
            let http = rest::encode(request);
            let wire = signed(desk.now, http.method.as_str(), http.path, http.payload());
            let mut plain = usual.clone_desk();
            let odd = serve(&mut desk.exchange, desk.now, &wire, &credentials());
            odd.body != serve(&mut plain.exchange, plain.now, &wire, &credentials()).body
        });
        assert!(differs, "{what:?} changes nothing");
    }
}

impl Desk {
    fn clone_desk(&self) -> Self {
        Self { exchange: self.exchange.clone(), now: self.now, pushes: Vec::new() }
    }
}

/// Asks both links everything.
fn agree(has_other_texts: bool, change: impl Fn(&mut crate::exchange::Exchange, Timestamp)) {
    let mut typed = busy();
    if has_other_texts {
        typed.exchange.quirk(typed.now, &Quirk::Spell { what: Spell::OtherTexts, length: Span::secs(60) });
    }
    change(&mut typed.exchange, typed.now);
    let mut bytes = typed.clone_desk();
    for request in questions() {
        let (by_value, by_bytes) = (by_value(&mut typed, &request), by_bytes(&mut bytes, &request));
        assert_eq!(by_value, by_bytes, "{request:?}");
    }
}

/// The words of a refusal are kept as the reason, so both links have to say the same ones (Q31).
#[test]
fn other_texts_are_other_on_both_links() {
    let far = Request::Create(limit("far", Side::Buy, "500", "59000", TimeInForce::Gtc));
    let refused = |mut desk: Desk| match by_value(&mut desk, &far).result {
        Err(ApiError::Code { code, message }) => (code, message),
        other => panic!("{other:?}"),
    };
    let mut desk = busy();
    desk.exchange.quirk(desk.now, &Quirk::Spell { what: Spell::OtherTexts, length: Span::secs(60) });
    let (usual, odd) = (refused(busy()), refused(desk));
    assert!(usual.0 == odd.0 && usual.1 != odd.1, "{usual:?} {odd:?}");
}

#[test]
fn what_the_exchange_answers_is_the_same_on_both_links() {
    let front = [Spell::Maintenance, Spell::Ban, Spell::RateLimit, Spell::RateLimitBare];
    for (what, has_other_texts) in front.iter().flat_map(|what| [(what, false), (what, true)]) {
        agree(has_other_texts, |exchange, now| {
            exchange.quirk(now, &Quirk::Spell { what: *what, length: Span::secs(60) });
        });
    }
    agree(true, |_, _| {});
    agree(true, |exchange, _| {
        for request in questions() {
            exchange.knobs_mut().retcode_next(request.operation(), 10016, false);
        }
    });
}

#[test]
fn what_is_forced_upon_the_account_reads_the_same() {
    let mut desk = busy();
    let symbol = crate::exchange::tests::btc();
    let rate = Ratio(order_manager_core::unit::Decimal::new(1, 4));
    let quantity = Some(q("0.04"));
    desk.exchange.quirk(desk.now, &Quirk::Spell { what: Spell::FeeInMnt, length: Span::secs(1) });
    desk.create(market("mnt", Side::Buy, "0.1")).unwrap();
    desk.wait(1_000);
    desk.exchange.quirk(desk.now, &Quirk::Funding { symbol, rate });
    desk.exchange.quirk(desk.now, &Quirk::Adl { symbol, quantity });
    desk.exchange.quirk(desk.now, &Quirk::UnknownExecution { symbol, side: Side::Sell, quantity: q("0.01") });
    desk.exchange.quirk(desk.now, &Quirk::Act { what: Act::Delist, symbol });
    desk.wait(2_000);
    let mut seen = Vec::new();
    for Outbound { push, .. } in std::mem::take(&mut desk.pushes) {
        let text = push_text_of(&desk.exchange, &push);
        let read: Push = push::decode(&text).unwrap();
        assert_eq!((read.rows, read.bad.len()), (push.rows, 0));
        seen.push(String::from_utf8_lossy(&text).into_owned());
    }
    for word in ["CreateByAdl_PassThrough", "AdlTrade", "Funding", "CorporateAction", "CreateBySettle", "\"MNT\""] {
        assert!(seen.iter().any(|text| text.contains(word)), "{word}");
    }
    for request in questions().into_iter().filter(|request| !matches!(request, Request::Positions { .. })) {
        let (typed, read) = (by_value(&mut desk, &request), by_bytes(&mut desk, &request));
        let coin_or_none = |reply: order_manager_core::bybit::ApiReply| match reply.result {
            Ok(order_manager_core::bybit::Reply::Executions(page)) => {
                // REST leaves the settle coin out.
                let fees =
                    page.rows.iter().map(|row| (row.exec_id, row.exec_type, row.settle_fee())).collect::<Vec<_>>();
                assert!(fees.iter().any(|(.., fee)| *fee == Money::ZERO));
                format!("{fees:?}")
            }
            other => format!("{other:?}"),
        };
        assert_eq!(coin_or_none(typed), coin_or_none(read));
    }
}
