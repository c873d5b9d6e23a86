//! Against a real RabbitMQ; each test has queues of its own.

mod bench;
mod proxy;
mod publishing;
mod signals;
