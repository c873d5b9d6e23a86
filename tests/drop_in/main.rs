//! The service among its real neighbours: PostgreSQL, RabbitMQ and the fake exchange over sockets, and what goes wrong
//! with each of them.

#[path = "../support/bank.rs"]
mod bank;
#[path = "../support/books.rs"]
mod books;
#[path = "../neighbours/mod.rs"]
mod neighbours;
#[path = "../support/process.rs"]
mod process;
mod proxy;
mod queues;
mod rounds;
mod servers;
mod stage;
mod ways;
