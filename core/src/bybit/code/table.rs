//! The codes of bybit-v5.md 7 with what they mean and prove.

use super::{Class, Operation};
use Class::{Ambiguous, Config, Done, Refused, Safe};
use On::{Any, Change, Create};

/// For which operations a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// All of them.
    Any,
    /// Create.
    Create,
    /// Cancel and amend.
    Change,
}

impl On {
    /// Does the row hold for `operation`?
    #[must_use]
    pub const fn covers(self, operation: Operation) -> bool {
        match self {
            Any => true,
            Create => matches!(operation, Operation::Create),
            Change => matches!(operation, Operation::Cancel | Operation::Amend),
        }
    }
}

/// One code, or a range of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// First code.
    pub first: i64,
    /// Last code.
    pub last: i64,
    /// For which operations.
    pub on: On,
    /// What it proves.
    pub class: Class,
    /// What it means.
    pub meaning: &'static str,
}

const fn one(code: i64, on: On, class: Class, meaning: &'static str) -> Row {
    range(code, code, on, class, meaning)
}

const fn range(first: i64, last: i64, on: On, class: Class, meaning: &'static str) -> Row {
    Row { first, last, on, class, meaning }
}

/// The table. Where the reference leaves a choice between two classes, the one that asks or stops is
/// taken: a question too many costs a query, a guess costs a second order.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    // Gateway, authentication, budgets, maintenance (7.1).
    one(-1, Any, Safe, "request expired"),
    one(429, Any, Ambiguous, "trading service under high load"),
    one(10000, Any, Ambiguous, "server timeout"),
    one(10001, Any, Refused, "parameter error; on an amend that changes nothing see `classify`"),
    one(10002, Any, Safe, "timestamp outside the receive window: this try did not execute"),
    one(10003, Any, Config, "key invalid or of another environment"),
    one(10004, Any, Config, "wrong signature: a defect, not to be repeated"),
    one(10005, Any, Config, "permission denied"),
    one(10006, Any, Safe, "too many requests"),
    one(10007, Any, Config, "user authentication failed"),
    one(10008, Any, Config, "account banned"),
    one(10009, Any, Config, "region restricted"),
    one(10010, Any, Config, "address not bound to the key"),
    one(10014, Any, Ambiguous, "duplicate request: a twin was received"),
    one(10016, Any, Ambiguous, "server error or restart"),
    one(10017, Any, Config, "route not found"),
    one(10018, Any, Safe, "address limit"),
    one(10019, Any, Ambiguous, "service restarting: in flight or not, nobody says (failures F17)"),
    one(10024, Any, Config, "compliance, trading banned"),
    one(10027, Any, Config, "compliance, trading banned"),
    one(10028, Any, Config, "account type not allowed"),
    one(100028, Any, Config, "account type not allowed"),
    one(10029, Any, Config, "symbol not on the key's list"),
    one(10403, Any, Safe, "address, system or session limit"),
    one(10429, Any, Safe, "address, system or session limit"),
    one(20003, Any, Safe, "address, system or session limit"),
    one(10404, Any, Config, "unknown operation or category"),
    one(20001, Any, Done, "authenticated already"),
    one(20006, Any, Ambiguous, "request id used twice: the first may have executed"),
    one(33004, Any, Config, "key expired"),
    one(-2015, Any, Config, "key expired"),
    one(170001, Any, Ambiguous, "internal error"),
    one(170234, Any, Ambiguous, "internal error"),
    one(170005, Any, Safe, "too many orders or requests"),
    one(170222, Any, Safe, "too many orders or requests"),
    one(170007, Any, Ambiguous, "timeout behind the gateway"),
    one(170032, Any, Ambiguous, "network error behind the gateway"),
    one(170035, Any, Ambiguous, "submitted and being processed"),
    one(170146, Any, Ambiguous, "create, cancel or amend timed out"),
    one(170147, Any, Ambiguous, "create, cancel or amend timed out"),
    one(170310, Any, Ambiguous, "create, cancel or amend timed out"),
    one(500000, Any, Ambiguous, "internal error"),
    one(3400214, Any, Ambiguous, "internal error"),
    // Create (7.2). The first that fits counts: what means one thing for one operation stands before the rest.
    one(110072, Create, Done, "order link id used already: ask for the order that has it"),
    one(170141, Create, Done, "order link id used already: ask for the order that has it"),
    one(12141, Create, Done, "order link id used already: ask for the order that has it"),
    one(110003, Any, Refused, "price out of the permitted range"),
    one(30208, Any, Refused, "price above the highest buy or below the lowest sell"),
    one(30209, Any, Refused, "price above the highest buy or below the lowest sell"),
    one(110120, Any, Refused, "price below or above the limit"),
    one(110121, Any, Refused, "price below or above the limit"),
    one(110004, Any, Refused, "not enough balance or margin"),
    range(110006, 110007, Any, Refused, "not enough balance or margin"),
    one(110012, Any, Refused, "not enough balance or margin"),
    range(110044, 110045, Any, Refused, "not enough balance or margin"),
    range(110051, 110053, Any, Refused, "not enough balance or margin"),
    one(110005, Any, Refused, "position status"),
    one(110009, Any, Refused, "too many conditional orders"),
    one(110011, Any, Refused, "would liquidate"),
    one(110040, Any, Refused, "would liquidate"),
    one(110046, Any, Refused, "would liquidate"),
    one(110017, Any, Refused, "reduce-only has nothing to reduce: for a close, done (spec D9)"),
    one(110020, Any, Refused, "more than 500 active orders"),
    one(110021, Any, Refused, "open-interest cap"),
    one(110023, Any, Refused, "the market only reduces"),
    one(110042, Any, Refused, "the market only reduces"),
    one(30228, Any, Refused, "the market only reduces"),
    range(110018, 110019, Any, Refused, "illegal order, user or order id"),
    one(110032, Any, Refused, "illegal order, user or order id"),
    one(110057, Any, Refused, "take-profit and stop-loss not allowed on this order"),
    one(110061, Any, Refused, "more than 20 partial take-profits and stop-losses"),
    one(110063, Any, Refused, "settlement, trading not allowed, contract not live"),
    one(110066, Any, Refused, "settlement, trading not allowed, contract not live"),
    one(110074, Any, Refused, "settlement, trading not allowed, contract not live"),
    one(110079, Any, Ambiguous, "order being processed"),
    range(110085, 110086, Any, Refused, "leverage or risk-limit tier"),
    range(110089, 110090, Any, Refused, "leverage or risk-limit tier"),
    one(3400139, Any, Refused, "leverage or risk-limit tier"),
    range(110092, 110093, Any, Refused, "trigger price on the wrong side"),
    one(110094, Any, Refused, "below the minimum order value"),
    one(110095, Any, Refused, "pre-market phase"),
    range(110098, 110100, Any, Refused, "pre-market phase"),
    one(110103, Any, Refused, "pre-market phase"),
    range(110108, 110109, Any, Refused, "slippage tolerance out of range"),
    one(110118, Any, Refused, "no market price: low liquidity"),
    one(110119, Any, Refused, "RPI not allowed"),
    one(170355, Any, Refused, "RPI not allowed"),
    range(110123, 110125, Any, Config, "terms, cooling-off period or region"),
    one(110132, Any, Config, "terms, cooling-off period or region"),
    one(170209, Any, Config, "terms, cooling-off period or region"),
    one(170241, Any, Config, "terms, cooling-off period or region"),
    one(110131, Any, Refused, "loan-to-value margin limit"),
    one(30256, Any, Refused, "loan-to-value margin limit"),
    one(170033, Any, Refused, "not enough balance"),
    one(170131, Any, Refused, "not enough balance"),
    one(170105, Any, Refused, "invalid time in force, type, side, symbol or parameter"),
    range(170115, 170117, Any, Refused, "invalid time in force, type, side, symbol or parameter"),
    one(170121, Any, Refused, "invalid time in force, type, side, symbol or parameter"),
    one(170130, Any, Refused, "invalid time in force, type, side, symbol or parameter"),
    one(170124, Any, Refused, "quantity or amount too large"),
    one(170341, Any, Refused, "quantity or amount too large"),
    range(170381, 170382, Any, Refused, "quantity or amount too large"),
    range(170132, 170134, Any, Refused, "price too high, too low or too fine"),
    range(170136, 170137, Any, Refused, "quantity too small or too fine"),
    one(170148, Any, Refused, "quantity too small or too fine"),
    one(170140, Any, Refused, "below the minimum order value"),
    one(170149, Any, Refused, "order refused"),
    one(170210, Any, Refused, "order refused"),
    one(170151, Any, Refused, "pair not open or not for this order type"),
    one(170157, Any, Refused, "pair not open or not for this order type"),
    one(170159, Any, Refused, "pair not open or not for this order type"),
    one(170206, Any, Refused, "pair not open or not for this order type"),
    range(170192, 170194, Any, Refused, "price band"),
    range(170371, 170372, Any, Refused, "price band"),
    range(170197, 170198, Any, Refused, "too large for the market or the estimated maximum"),
    range(170228, 170229, Any, Refused, "too large for the market or the estimated maximum"),
    range(170201, 170204, Any, Refused, "order filter or trigger parameters"),
    range(170217, 170218, Any, Refused, "post-only would take"),
    one(170810, Any, Refused, "more than 500 open orders"),
    one(170346, Any, Refused, "collateral switched off"),
    one(170360, Any, Refused, "collateral switched off"),
    // Amend and cancel (7.3). On a create these say nothing that is known, so nothing is guessed.
    one(110001, Change, Done, "order gone: filled, cancelled, not visible yet or never there"),
    one(110008, Change, Done, "order gone: filled, cancelled, not visible yet or never there"),
    one(110010, Change, Done, "order gone: filled, cancelled, not visible yet or never there"),
    one(170139, Change, Done, "order gone: filled, cancelled or not on the book"),
    range(170142, 170143, Change, Done, "order gone: filled, cancelled or not on the book"),
    one(170190, Change, Done, "order gone: filled, cancelled or not on the book"),
    one(170213, Change, Done, "order gone: filled, cancelled or not on the book"),
    one(110022, Any, Refused, "quantity cannot be increased"),
    one(110064, Any, Refused, "new quantity not above what is filled"),
    range(110054, 110056, Any, Refused, "take-profit and stop-loss rules"),
    range(110058, 110060, Any, Refused, "take-profit and stop-loss rules"),
    one(110115, Any, Refused, "combination leg"),
    one(110117, Any, Refused, "combination leg"),
    one(40004, Any, Ambiguous, "order changed meanwhile"),
    one(30035, Any, Safe, "cancel too fast"),
    range(170144, 170145, Any, Refused, "locked, or not cancellable"),
    one(170150, Any, Ambiguous, "cancel or amend failed: ask, then it is refused"),
    range(170311, 170312, Any, Ambiguous, "cancel or amend failed: ask, then it is refused"),
    one(170191, Any, Ambiguous, "cancel not possible now, or running"),
    one(170212, Any, Ambiguous, "cancel not possible now, or running"),
    one(170313, Any, Refused, "new quantity below what is filled"),
    // Positions, account, queries (7.4).
    one(34040, Any, Done, "nothing to change"),
    one(110043, Any, Done, "nothing to change"),
    range(110025, 110027, Any, Done, "nothing to change"),
    one(110024, Any, Refused, "position mode cannot change"),
    range(110028, 110029, Any, Refused, "position mode cannot change"),
    one(110013, Any, Refused, "leverage cannot be set"),
    one(110036, Any, Refused, "leverage cannot be set"),
    range(110038, 110039, Any, Refused, "leverage cannot be set"),
    range(110033, 110034, Any, Refused, "no position"),
    range(181000, 181012, Any, Refused, "query parameters"),
    one(181017, Any, Refused, "query parameters"),
    range(176000, 176999, Any, Config, "spot margin and lending"),
    range(182000, 182999, Any, Config, "spot margin and lending"),
];
