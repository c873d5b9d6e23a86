use super::*;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

#[tokio::test]
async fn a1_refuses_to_listen_beyond_loopback_without_a_key() {
    let anywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let refused = bind(anywhere, &Keys::new(Vec::new())).await.unwrap_err();
    assert!(matches!(refused, BindError::Refused(BindRefused { addr }) if addr == anywhere), "{refused}");
    bind(anywhere, &three_keys()).await.unwrap();
    let held = bind("127.0.0.1:0".parse().unwrap(), &three_keys()).await.unwrap();
    let taken = bind(held.local_addr().unwrap(), &three_keys()).await.unwrap_err();
    assert!(taken.to_string().contains("ORDERMANAGER_PORT"), "{taken}");
}

#[tokio::test]
async fn a5_over_a_socket_until_stopped() {
    let (desk, books) = (Arc::new(FakeDesk::default()), Arc::new(FakeBooks::default()));
    let listener = bind("127.0.0.1:0".parse().unwrap(), &three_keys()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let state = ApiState::new(desk.clone(), books.clone(), three_keys());
    let serving = tokio::spawn(serve(listener, state, async move { drop(stopped.await) }));

    let mut stream = BufReader::new(TcpStream::connect(addr).await.unwrap());
    let call = "GET /api/v1/events HTTP/1.1\r\nhost: x\r\nx-api-key: r-key\r\n\r\n";
    stream.write_all(call.as_bytes()).await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
    books.events.lock().unwrap().push((7, "{}".to_owned()));
    desk.commit(7);
    while !line.starts_with("id: 7") {
        line.clear();
        assert_ne!(stream.read_line(&mut line).await.unwrap(), 0, "the event comes before the end");
    }
    drop(stop);
    desk.end();
    serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}
