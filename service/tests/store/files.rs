//! What only a file has.

use super::home::{Home, execute, folder};
use super::{filled, steps};
use order_manager_service::store::{Reader, Store, StoreError, StoredStep};
use std::path::{Path, PathBuf};

async fn file(name: &str, steps: &[StoredStep]) -> (PathBuf, Store) {
    let path = folder(name).join("om.sqlite");
    let store = filled(&Home::File(path.clone()), steps).await;
    (path, store)
}

/// A loss of power leaves the file and its log, and nothing that was closed in order.
#[tokio::test]
async fn a_file_that_was_never_closed_is_recovered() {
    let steps = &steps()[..300];
    let (path, store) = file("torn", steps).await;
    let copy = folder("torn-copy").join("om.sqlite");
    std::fs::copy(&path, &copy).expect("the file");
    std::fs::copy(path.with_extension("sqlite-wal"), copy.with_extension("sqlite-wal")).expect("its log");
    let mut again = Store::open(&copy).await.expect("opened");
    assert_eq!(again.restore().await.expect("restored").steps.len(), 300);
    assert!(Home::File(copy.clone()).dump().await == Home::File(path.clone()).dump().await);
    drop(store);
}

#[tokio::test]
async fn a4_a_settled_store_is_whole_in_its_one_file() {
    let (path, mut store) = file("settled", steps()).await;
    store.settle().await.unwrap();
    let copy = path.with_file_name("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(Home::File(copy.clone()).dump().await, Home::File(path.clone()).dump().await);
}

#[tokio::test]
async fn a5_one_leader_and_words_for_the_second() {
    let (path, store) = file("leader", &steps()[..10]).await;
    let second = Store::open(&path).await.expect_err("a second writer");
    let text = second.to_string();
    assert!(text.contains("in use by another order-manager"), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())) && text.contains("ORDERMANAGER_STORE"), "{text}");
    assert!(Reader::open(&path).await.expect("a reader beside it").order("none").await.expect("a read").is_none());
    drop(store);
    Store::open(&path).await.expect("the lock went with its holder");
}

/// The first process starts a second one of itself, which finds the variable set and is refused.
#[tokio::test]
async fn a5_one_leader_among_processes() {
    const STORE_OF_THE_FIRST: &str = "ORDER_MANAGER_TEST_STORE";
    if let Ok(path) = std::env::var(STORE_OF_THE_FIRST) {
        return println!("second: {}", Store::open(Path::new(&path)).await.expect_err("the first one holds it"));
    }
    let (path, store) = file("processes", &steps()[..10]).await;
    let mut second = std::process::Command::new(std::env::current_exe().expect("this test"));
    second.args(["--exact", "files::a5_one_leader_among_processes", "--nocapture"]).env(STORE_OF_THE_FIRST, &path);
    let said = second.output().expect("a second process");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}");
    assert!(text.contains(&format!("second: {} is in use", path.display())), "{text}");
    assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
    drop(store);
}

#[tokio::test]
async fn what_cannot_be_opened_is_said_with_a_remedy() {
    let folder = folder("bad");
    let said = |error: StoreError| {
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unavailable(_)) && text.contains("ORDERMANAGER_STORE"), "{text}");
        text
    };
    let nowhere = said(Store::open(&folder.join("no/om.sqlite")).await.expect_err("no folder"));
    assert!(nowhere.contains("cannot open") && nowhere.contains("writable folder"), "{nowhere}");
    said(Reader::open(&folder.join("none.sqlite")).await.expect_err("no file"));
    assert!(!folder.join("none.sqlite").exists(), "a reader makes no file");

    let text = folder.join("text.sqlite");
    std::fs::write(&text, "this is no database, and longer than the header of one".repeat(4)).expect("written");
    said(Store::open(&text).await.expect_err("no database"));

    let other = folder.join("other.sqlite");
    execute(&other, "CREATE TABLE recipes (name TEXT)").await;
    let before = std::fs::read(&other).expect("bytes");
    let words = said(Store::open(&other).await.expect_err("of another program"));
    assert!(words.contains("another program"), "{words}");
    assert!(std::fs::read(&other).expect("bytes") == before, "it stays as it was");

    let (path, store) = file("newer", &steps()[..10]).await;
    drop(store);
    execute(&path, "PRAGMA user_version = 7").await;
    for words in
        [said(Store::open(&path).await.expect_err("newer")), said(Reader::open(&path).await.expect_err("newer"))]
    {
        assert!(words.contains("newer order-manager") && words.contains("schema is 7"), "{words}");
    }
}
