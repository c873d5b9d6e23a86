//! Against a real RabbitMQ; each test has queues of its own.

mod bench;
mod gateway;
mod proxy;
mod publishing;
mod signals;
