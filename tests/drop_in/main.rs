//! The service among its real neighbours: PostgreSQL, RabbitMQ and the fake exchange over sockets, and what goes wrong
//! with each of them.

#[path = "../support/bank.rs"]
mod bank;
#[path = "../support/books.rs"]
mod books;
mod bridge;
mod day;
#[path = "../neighbours/mod.rs"]
mod neighbours;
#[path = "../support/process.rs"]
mod process;
mod proxy;
mod queues;
mod readers;
mod samples;
mod servers;
mod stage;
mod ways;
mod wire;
