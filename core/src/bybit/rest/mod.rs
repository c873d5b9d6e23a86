//! Requests to bytes, replies to types. What is encoded is what is signed and what is sent: no layer
//! below may rewrite a byte of it (bybit-v5.md 1.2).

mod decode;
mod encode;

#[cfg(test)]
mod tests;

pub use decode::decode;
pub use encode::encode;

use alloc::string::String;

/// The verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The payload is the query.
    Get,
    /// The payload is the body.
    Post,
}

impl Method {
    /// As HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// One request, ready to be signed and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The verb.
    pub method: Method,
    /// From the first slash to before the query.
    pub path: &'static str,
    /// What follows the question mark, percent-encoded; empty on a POST and where there is nothing to ask.
    pub query: String,
    /// JSON of a POST; empty on a GET, which Bybit refuses with a body (1.2).
    pub body: String,
}

impl HttpRequest {
    /// What is signed: the query of a GET, the body of a POST.
    #[must_use]
    pub fn payload(&self) -> &str {
        match self.method {
            Method::Get => &self.query,
            Method::Post => &self.body,
        }
    }

    /// Does it need key and signature? Only market data does not.
    #[must_use]
    pub fn is_private(&self) -> bool {
        !self.path.starts_with("/v5/market/")
    }

    /// Path and query as they stand in the request line.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() { String::from(self.path) } else { alloc::format!("{}?{}", self.path, self.query) }
    }
}
