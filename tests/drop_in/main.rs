//! The service among its real neighbours: PostgreSQL, RabbitMQ and the fake exchange over sockets, and what goes wrong
//! with each of them.

#[path = "../support/bank.rs"]
mod bank;
mod blocked;
#[path = "../support/books.rs"]
mod books;
mod bridge;
mod day;
mod month;
#[path = "../neighbours/mod.rs"]
mod neighbours;
mod outage;
#[path = "../support/process.rs"]
mod process;
mod proxy;
mod queues;
mod readers;
mod rounds;
mod samples;
mod servers;
mod stage;
mod street;
mod until;
mod ways;
mod wire;
