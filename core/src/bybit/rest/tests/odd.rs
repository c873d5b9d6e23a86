//! Bodies that are not as they should be: what cannot be read spoils no more than it must.

use super::*;

#[test]
fn o4_a_broken_row_is_set_aside_and_the_others_count() {
    let broken = samples::ORDER_CANCELLED.replace(r#""side":"Sell""#, r#""side":7"#);
    let nameless = samples::ORDER.replace(r#""symbol":"ETHUSDT""#, r#""symbol":"""#).replace("test-000005", "");
    let odd = [r#"{"\ud800":1}"#, r#""\ud800""#, "1e999", "[[{}]]"];
    let rows = [&[samples::ORDER, &broken, "null", &nameless, samples::ORDER_POST_ONLY], &odd[..]].concat();
    let Ok(Reply::Orders(page)) = answer(Operation::OpenOrders, &list(&rows)).result else { panic!() };
    assert_eq!((page.rows.len(), page.len()), (2, 9));
    let bad: Vec<_> = page.bad.iter().map(|b| (b.index, b.why.to_string(), b.link.map(|l| l.to_string()))).collect();
    let why = |index, why: &str, link: Option<&str>| (index, why.to_string(), link.map(|l| l.to_string()));
    assert_eq!(
        bad,
        [
            why(1, "side is neither Buy nor Sell: \"7\"", Some("test-000006")),
            why(2, "row is not an object: \"null\"", None),
            why(3, "symbol is missing", None),
            why(5, "row is not JSON: unexpected end of hex escape at line 1 column 9", None),
            why(6, "row is not an object: \"\\\"\\\\ud800\\\"\"", None),
            why(7, "row is not an object: \"1e999\"", None),
            why(8, "row is not an object: \"[[{}]]\"", None),
        ]
    );
}

#[test]
fn of_what_comes_twice_the_last_counts_and_what_is_odd_hides_no_code() {
    let row = samples::ORDER;
    for (body, rows) in [
        (format!(r#"{{"retCode":0,"result":1e999,"result":{{"list":[],"list":[{row}]}}}}"#), 1),
        (format!(r#"{{"retCode":0,"result":{{"list":[{row}],"list":[]}},"data":"\ud800"}}"#), 0),
        (format!(r#"{{"retCode":0,"result":{{"list":[{row}]}},"result":{{"l\u0069st":[{row},{row}]}}}}"#), 2),
    ] {
        let Ok(Reply::Orders(page)) = answer(Operation::OpenOrders, &body).result else { panic!("{body}") };
        assert_eq!((page.rows.len(), page.bad.len()), (rows, 0), "{body}");
    }
    for result in ["1e999", r#""\ud800""#, r#"{"\ud800":0}"#, r#"{"list":{}}"#, r#"[{"list":[]}]"#] {
        let body = format!(r#"{{"retCode":110007,"result":{result}}}"#);
        assert!(matches!(answer(Operation::Create, &body).result, Err(ApiError::Code { code: 110_007, .. })), "{body}");
    }
}

#[test]
fn o2_an_answer_without_its_list_is_not_an_empty_list() {
    let Ok(Reply::Orders(page)) = answer(Operation::OpenOrders, &list(&[])).result else { panic!() };
    assert!(page.is_empty());
    for result in ["{}", r#"{"list":null}"#] {
        let body = format!(r#"{{"retCode":0,"result":{result}}}"#);
        assert_eq!(unreadable(Operation::OpenOrders, &body), "list is missing");
    }
    assert_eq!(unreadable(Operation::OpenOrders, r#"{"retCode":0,"result":null}"#), "result is missing");
    assert_eq!(
        unreadable(Operation::OpenOrders, r#"{"retCode":0,"result":{"list":{}}}"#),
        "list is not a list: \"{}\""
    );
    let Ok(Reply::Orders(page)) = answer(Operation::OpenOrders, r#"{"retCode":0,"result":{"list":[]}}"#).result else {
        panic!()
    };
    assert_eq!(page.cursor, None);
}

#[test]
fn what_is_too_large_is_refused_by_name() {
    let many = list(&["{}"; 1_001]);
    assert_eq!(unreadable(Operation::OpenOrders, &many), "list has more than 1000 rows");
    assert!(
        matches!(answer(Operation::OpenOrders, &list(&["{}"; 1_000])).result, Ok(Reply::Orders(p)) if p.bad.len() == 1_000)
    );
    let huge = format!(r#"{{"retCode":0,"retMsg":"{}"}}"#, "x".repeat(4 << 20));
    assert!(unreadable(Operation::OpenOrders, &huge).ends_with("bytes long, the limit is 4194304"));
    let cursor = list(&[]).replace("a%3Db", &"c".repeat(600));
    assert_eq!(unreadable(Operation::OpenOrders, &cursor), "nextPageCursor is 600 bytes long, the limit is 512");
    let deep = format!(r#"{{"retCode":0,"result":{{"list":{}}}}}"#, "[".repeat(1_000_000));
    assert!(unreadable(Operation::OpenOrders, &deep).starts_with("body is not JSON"));
}
