use super::*;
use axum::body::BodyDataStream;
use futures_util::StreamExt;
use std::sync::atomic::Ordering;

/// An open event stream.
struct Stream(BodyDataStream, String);

impl Stream {
    async fn open(api: &Api, path: &str, headers: &[(&str, &str)]) -> Self {
        let headers = [&[("x-api-key", "r-key")], headers].concat();
        let response = api.router.clone().oneshot(request("GET", path, &headers, "")).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(response.headers().contains_key("x-trace-id"));
        Self(response.into_body().into_data_stream(), String::new())
    }
    /// The next block up to an empty line; none at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.1.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.1 = rest;
                return Some(block);
            }
            self.1 += std::str::from_utf8(&self.0.next().await?.unwrap()).unwrap();
        }
    }
    /// The next `n` events' ids.
    async fn ids(&mut self, n: usize) -> Vec<i64> {
        let mut ids = Vec::new();
        while ids.len() < n {
            let block = self.block().await.expect("the stream goes on");
            ids.extend(block.lines().find_map(|line| line.strip_prefix("id: ")).map(|id| id.parse::<i64>().unwrap()));
        }
        ids
    }
}

fn publish(api: &Api, ids: impl IntoIterator<Item = i64>) {
    let mut last = 0;
    for id in ids {
        api.books.events.lock().unwrap().push((id, format!(r#"{{"event_id":"e{id}"}}"#)));
        last = id;
    }
    api.desk.commit(last);
}

#[tokio::test]
async fn e1_everything_from_the_store_then_what_comes() {
    let api = api();
    publish(&api, 1..=250); // more than one batch
    let mut stream = Stream::open(&api, "/api/v1/events?after=0", &[]).await;
    assert_eq!(stream.block().await.unwrap(), "id: 1\ndata: {\"event_id\":\"e1\"}");
    assert_eq!(stream.ids(249).await, (2..=250).collect::<Vec<_>>());
    publish(&api, [251, 255]); // ids grow, with gaps
    assert_eq!(stream.ids(2).await, [251, 255]);
    publish(&api, [256]);
    assert_eq!(stream.ids(1).await, [256]);
}

#[tokio::test]
async fn e1_resumes_after_the_last_event_id() {
    let api = api();
    publish(&api, 1..=5);
    assert_eq!(Stream::open(&api, "/api/v1/events?after=3", &[]).await.ids(2).await, [4, 5]);
    let resumed = [("last-event-id", "4")];
    assert_eq!(Stream::open(&api, "/api/v1/events?after=1", &resumed).await.ids(1).await, [5], "the header wins");
    let mut live = Stream::open(&api, "/api/v1/events", &[]).await;
    publish(&api, [6]);
    assert_eq!(live.ids(1).await, [6], "without an id: from now on");
    // What was committed and read before the news of it came is known all the same.
    api.books.events.lock().unwrap().push((7, "{}".to_owned()));
    let mut early = Stream::open(&api, "/api/v1/events?after=7", &[]).await;
    publish(&api, [8]);
    assert_eq!(early.ids(1).await, [8]);
}

#[tokio::test]
async fn e1_an_id_that_was_never_given_is_refused() {
    let api = api();
    publish(&api, 1..=5);
    for (path, headers, field) in [
        ("/api/v1/events?after=6", &[][..], "after"),
        ("/api/v1/events", &[("last-event-id", "9223372036854775807")], "after"),
        ("/api/v1/events?after=-1", &[], "after"),
        ("/api/v1/events?after=x", &[], "after"),
        ("/api/v1/events", &[("last-event-id", "-5")], "last-event-id"),
        ("/api/v1/events", &[("last-event-id", "x")], "last-event-id"),
    ] {
        let headers = [&[("x-api-key", "r-key")], headers].concat();
        let reply = api.send(request("GET", path, &headers, "")).await;
        assert_eq!((reply.status, &reply.error()["field"]), (422, &field.into()), "{path} {headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn e1_a_silent_stream_says_that_it_lives() {
    let api = api();
    let mut stream = Stream::open(&api, "/api/v1/events", &[]).await;
    let before = tokio::time::Instant::now();
    for _ in 0..3 {
        assert_eq!(stream.block().await.unwrap(), ": keep-alive");
    }
    assert!((45..46).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
    publish(&api, [1]);
    assert_eq!(stream.ids(1).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a1_a_silent_stream_ends_when_the_keys_change() {
    let api = api();
    let mut stream = Stream::open(&api, "/api/v1/events", &[]).await;
    let change = async { api.keys.replace(vec![Key::new("new", Role::Read, "n-key").unwrap()]).unwrap() };
    assert_eq!(tokio::join!(stream.block(), change).0, None, "while it waits");
}

#[tokio::test]
async fn a_stream_ends_when_its_caller_must_come_back() {
    let api = api();
    publish(&api, 1..=2);
    let mut stream = Stream::open(&api, "/api/v1/events?after=0", &[]).await;
    assert_eq!(stream.ids(1).await, [1]);
    api.keys.replace(vec![Key::new("new", Role::Read, "r-key").unwrap()]).unwrap();
    assert_eq!(stream.block().await, None, "the keys changed before the second was sent");

    let mut stream = Stream::open(&api, "/api/v1/events?after=0", &[]).await;
    assert_eq!(stream.ids(2).await, [1, 2]);
    api.books.down.store(true, Ordering::Relaxed);
    publish(&api, [3]);
    assert_eq!(stream.block().await, None, "the store cannot be read");
    api.books.down.store(false, Ordering::Relaxed);

    let mut stream = Stream::open(&api, "/api/v1/events?after=2", &[]).await;
    assert_eq!(stream.ids(1).await, [3], "and nothing was lost");
    api.desk.end();
    assert_eq!(stream.block().await, None, "the driver ended");
}

#[tokio::test]
async fn streams_are_bounded_and_a_closed_one_makes_room() {
    let api = api_with(three_keys(), Limits { streams_max: 1, ..Limits::default() });
    let first = Stream::open(&api, "/api/v1/events", &[]).await;
    let reply = api.get("/api/v1/events").await;
    assert_eq!((reply.status, reply.code()), (503, "too_many_streams"));
    assert!(!reply.header("retry-after").is_empty());
    drop(first);
    let _second = Stream::open(&api, "/api/v1/events", &[]).await;
}
