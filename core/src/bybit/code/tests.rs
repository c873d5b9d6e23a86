//! The expectations, section by section as bybit-v5.md 7 lists them: written out here by hand and not
//! derived from the table.

use super::*;
use Class::{Ambiguous, Config, Done, Refused, Safe};
use Operation::{Amend, Cancel, Create};

const QUERIES: [Operation; 8] = [
    Operation::OpenOrders,
    Operation::OrderHistory,
    Operation::Executions,
    Operation::Instruments,
    Operation::Wallet,
    Operation::Positions,
    Operation::Tickers,
    Operation::ServerTime,
];

fn expect(operations: &[Operation], expectations: &[(Class, &[i64])]) {
    for (class, codes) in expectations {
        for code in *codes {
            for operation in operations {
                assert_eq!(classify(*operation, *code, "some text"), *class, "{code} on {operation:?}");
            }
        }
    }
}

#[test]
fn gateway_codes_are_classed_as_7_1_says() {
    expect(
        &[Create, Cancel, Amend],
        &[
            // "SAFE (prob.)" is safe: refused at the gateway.
            (Safe, &[-1, 10002, 10006, 10018, 10403, 10429, 20003, 170005, 170222]),
            (Refused, &[10001]),
            // 10014 is "AMB/DONE", 10019 "SAFE for new, AMB for in-flight": both are asked about.
            (
                Ambiguous,
                &[
                    429, 10000, 10014, 10016, 10019, 20006, 170001, 170234, 170007, 170032, 170035, 170146, 170147,
                    170310, 500000, 3400214,
                ],
            ),
            (Done, &[20001]),
            // 10004 is "SAFE/CFG, bug, do not loop".
            (
                Config,
                &[
                    10003, 10004, 10005, 10007, 10008, 10009, 10010, 10017, 10024, 10027, 10028, 100028, 10029, 10404,
                    33004, -2015,
                ],
            ),
        ],
    );
}

#[test]
fn create_codes_are_classed_as_7_2_says() {
    expect(
        &[Create],
        &[
            (Done, &[110072, 170141, 12141]),
            (
                Refused,
                &[
                    110003, 30208, 30209, 110120, 110121, 110004, 110007, 110012, 110044, 110045, 110006, 110051,
                    110052, 110053, 110005, 110009, 110011, 110040, 110046, 110017, 110020, 110021, 110023, 110042,
                    30228, 110032, 110018, 110019, 110057, 110061, 110063, 110066, 110074, 110086, 110090, 110085,
                    110089, 3400139, 110092, 110093, 110094, 110095, 110098, 110099, 110100, 110103, 110108, 110109,
                    110118, 110119, 170355, 110131, 30256, 170033, 170131, 170115, 170116, 170117, 170121, 170105,
                    170130, 170124, 170381, 170382, 170341, 170132, 170133, 170134, 170136, 170137, 170148, 170140,
                    170149, 170210, 170151, 170157, 170159, 170206, 170192, 170193, 170194, 170371, 170372, 170197,
                    170198, 170228, 170229, 170201, 170202, 170203, 170204, 170217, 170218, 170810, 170346, 170360,
                ],
            ),
            (Ambiguous, &[110079]),
            (Config, &[110123, 110124, 110125, 110132, 170209, 170241]),
        ],
    );
}

#[test]
fn amend_and_cancel_codes_are_classed_as_7_3_says() {
    expect(
        &[Cancel, Amend],
        &[
            (Done, &[110001, 110008, 110010, 170213, 170139, 170142, 170143, 170190]),
            (
                Refused,
                &[
                    110064, 110022, 110059, 110060, 110054, 110055, 110056, 110058, 110115, 110117, 170144, 170145,
                    170313,
                ],
            ),
            // "wait + query", "query, then REJ", "retry after query": asked about first.
            (Ambiguous, &[110079, 40004, 170150, 170311, 170312, 170191, 170212]),
            (Safe, &[30035]),
        ],
    );
}

#[test]
fn account_and_query_codes_are_classed_as_7_4_says() {
    expect(
        &[Create, Cancel, Amend],
        &[
            (Done, &[34040, 110043, 110025, 110026, 110027]),
            (Refused, &[110024, 110028, 110029, 110013, 110036, 110038, 110039, 110033, 110034]),
            (Config, &[176000, 176999, 182000, 182999]),
        ],
    );
    let query_parameters: alloc::vec::Vec<i64> = (181_000..=181_012).chain([181_017]).collect();
    expect(&QUERIES, &[(Refused, &query_parameters)]);
}

#[test]
fn an_amend_that_changes_nothing_is_done_and_only_an_amend() {
    let text = "The order remains unchanged as the parameters entered match the existing ones.";
    assert_eq!(classify(Amend, 10001, text), Done);
    assert_eq!(classify(Create, 10001, text), Refused);
    assert_eq!(classify(Cancel, 10001, text), Refused);
    assert_eq!(classify(Amend, 10001, "params error: qty err"), Refused);
    assert_eq!(classify(Amend, 10002, text), Safe, "the text decides nothing on another code");
}

#[test]
fn o2_an_unknown_code_is_never_guessed() {
    for code in [i64::MIN, -7, 1, 99_999, 110_002, 170_999, i64::MAX] {
        expect(&[Create, Cancel, Amend], &[(Ambiguous, &[code])]);
        expect(&QUERIES, &[(Refused, &[code])]);
    }
    // Known on other operations only.
    expect(&[Create], &[(Ambiguous, &[110001, 110008, 110010, 170213])]);
    expect(&[Cancel, Amend], &[(Ambiguous, &[110072, 170141])]);
}

#[test]
fn a_query_is_never_ambiguous() {
    for row in TABLE {
        for operation in QUERIES {
            let class = classify(operation, row.first, "");
            assert!(matches!(class, Safe | Refused | Config), "{} on {operation:?}: {class:?}", row.first);
        }
    }
    expect(&QUERIES, &[(Safe, &[429, 10000, 10006, 10016]), (Config, &[10003, 10005])]);
}

#[test]
fn statuses_are_classed_as_1_4_says() {
    for (status, on_change, on_query) in [
        (200, Ambiguous, Safe),
        (302, Ambiguous, Safe),
        (400, Config, Config),
        (401, Config, Config),
        (403, Safe, Safe),
        (404, Config, Config),
        (418, Ambiguous, Safe),
        (429, Ambiguous, Safe),
        (500, Ambiguous, Safe),
        (502, Ambiguous, Safe),
        (503, Ambiguous, Safe),
        (504, Ambiguous, Safe),
    ] {
        for operation in [Create, Cancel, Amend] {
            assert_eq!(classify_status(operation, status), on_change, "{status} on {operation:?}");
        }
        for operation in QUERIES {
            assert_eq!(classify_status(operation, status), on_query, "{status} on {operation:?}");
        }
    }
}

#[test]
fn no_two_rows_of_the_table_claim_one_code_of_one_operation() {
    for (i, a) in TABLE.iter().enumerate() {
        assert!(a.first <= a.last && !a.meaning.is_empty(), "{a:?}");
        for b in &TABLE[i + 1..] {
            let apart = a.last < b.first || b.last < a.first;
            let share = [Create, Cancel, Amend].iter().any(|o| a.on.covers(*o) && b.on.covers(*o));
            assert!(apart || !share, "{a:?} and {b:?}");
        }
    }
}
