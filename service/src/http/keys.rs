//! API keys: several at once, each with a role, compared in constant time, changed without a restart (spec A1).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use tokio::sync::watch;

/// What a key may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read everything.
    Read,
    /// Send signals.
    Signal,
    /// Operate: halt, cancel, flatten, resolve.
    Operate,
}

/// Not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role: it is one of read, signal, operate")]
pub struct NotRole(String);

impl Role {
    /// As configuration and errors write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Signal => "signal",
            Self::Operate => "operate",
        }
    }
}

impl FromStr for Role {
    type Err = NotRole;
    fn from_str(text: &str) -> Result<Self, NotRole> {
        let all = [Self::Read, Self::Signal, Self::Operate];
        all.into_iter().find(|role| role.as_str() == text).ok_or_else(|| NotRole(text.to_owned()))
    }
}

/// A key. Holds a tag of the secret, not the secret.
#[derive(Clone)]
pub struct Key {
    name: String,
    role: Role,
    tag: [u8; 32],
}

/// A secret that no caller could send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "API key `{0}` must be 1 to 1024 visible ASCII characters: set another, for example from `openssl rand -hex 32`"
)]
pub struct BadKey(String);

impl Key {
    /// A key by `name`, which logs show, with its secret.
    ///
    /// # Errors
    /// A secret that is empty or does not fit a header.
    pub fn new(name: &str, role: Role, secret: &str) -> Result<Self, BadKey> {
        let good = (1..=1024).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
        let tag = good.then(|| mac(secret.as_bytes())).flatten().map(|mac| mac.finalize().into_bytes().into());
        tag.map(|tag| Self { name: name.to_owned(), role, tag }).ok_or_else(|| BadKey(name.to_owned()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Tags of equal length stand for secrets of any length, so that comparing them tells nothing of either.
fn mac(secret: &[u8]) -> Option<Hmac<Sha256>> {
    Some(Hmac::<Sha256>::new_from_slice(secret).ok()?.chain_update(b"order-manager api key"))
}

/// Who calls: the name of the key and its role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) name: Arc<str>,
    pub(super) role: Role,
}

/// The keys that are valid now. Cheap to clone; all clones see a change.
#[derive(Clone, Debug)]
pub struct Keys(Arc<watch::Sender<Vec<Key>>>);

/// Taking away the last key would open the API to everybody who reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the last API key cannot be taken away while serving: keep one, or stop the service")]
pub struct NoKeyLeft;

impl Keys {
    /// These keys; none at all leaves the API open, on loopback only (see [`check_bind`]).
    #[must_use]
    pub fn new(keys: Vec<Key>) -> Self {
        Self(Arc::new(watch::Sender::new(keys)))
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// From now on these are the keys. Event streams end, so that their callers show a key anew.
    ///
    /// # Errors
    /// There were keys and would be none.
    pub fn replace(&self, keys: Vec<Key>) -> Result<(), NoKeyLeft> {
        if keys.is_empty() && !self.is_empty() {
            return Err(NoKeyLeft);
        }
        self.0.send_replace(keys);
        Ok(())
    }

    /// Whose key this is. Looks at every key, whatever it finds.
    pub(super) fn find(&self, presented: &[u8]) -> Option<Caller> {
        let mac = mac(presented)?;
        let keys = self.0.borrow();
        let matching = keys.iter().filter(|key| mac.clone().verify_slice(&key.tag).is_ok());
        matching.max_by_key(|key| key.role).map(|key| Caller { name: key.name.as_str().into(), role: key.role })
    }

    /// Tells when they change.
    pub(super) fn watch(&self) -> watch::Receiver<Vec<Key>> {
        self.0.subscribe()
    }
}

/// The API would be open to others than this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "refused to listen on {addr} without an API key: anybody who reaches it could trade. \
     Set ORDERMANAGER_API_KEY (or ORDERMANAGER_API_KEY_FILE), or listen on 127.0.0.1"
)]
pub struct BindRefused {
    /// The address that was asked for.
    pub addr: SocketAddr,
}

/// May the API listen on `addr` with these keys (spec A1)?
///
/// # Errors
/// There is no key, and `addr` is not loopback.
pub fn check_bind(addr: SocketAddr, keys: &Keys) -> Result<(), BindRefused> {
    let loopback = addr.ip().to_canonical().is_loopback();
    if loopback || !keys.is_empty() { Ok(()) } else { Err(BindRefused { addr }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, role: Role, secret: &str) -> Key {
        Key::new(name, role, secret).unwrap()
    }

    #[test]
    fn a1_several_keys_are_valid_at_once_and_change_together() {
        let keys = Keys::new(vec![key("grafana", Role::Read, "r"), key("model", Role::Signal, "s")]);
        let other = keys.clone();
        let role = |secret: &str| keys.find(secret.as_bytes()).map(|caller| caller.role);
        assert_eq!((role("r"), role("s"), role("x"), role("")), (Some(Role::Read), Some(Role::Signal), None, None));
        other.replace(vec![key("grafana", Role::Read, "new")]).unwrap();
        assert_eq!((role("r"), role("new")), (None, Some(Role::Read)));
        assert_eq!(other.replace(Vec::new()), Err(NoKeyLeft));
        assert_eq!(role("new"), Some(Role::Read), "what was refused changed nothing");
    }

    #[test]
    fn a1_no_key_no_listening_beyond_loopback() {
        let (none, one) = (Keys::new(Vec::new()), Keys::new(vec![key("a", Role::Read, "s")]));
        for addr in ["127.0.0.1:4600", "127.9.9.9:1", "[::1]:4600", "[::ffff:127.0.0.1]:4600"] {
            assert_eq!(check_bind(addr.parse().unwrap(), &none), Ok(()), "{addr}");
        }
        for addr in ["0.0.0.0:4600", "[::]:4600", "192.168.1.2:4600", "[::ffff:10.0.0.1]:4600"] {
            let addr: SocketAddr = addr.parse().unwrap();
            let refused = check_bind(addr, &none).unwrap_err().to_string();
            assert!(refused.contains(&addr.to_string()) && refused.contains("ORDERMANAGER_API_KEY"), "{refused}");
            assert_eq!(check_bind(addr, &one), Ok(()), "{addr}");
        }
    }

    #[test]
    fn a2_a_secret_is_not_printed() {
        let shown = format!("{:?}", Keys::new(vec![key("model", Role::Signal, "hunter2")]));
        assert!(shown.contains("model") && shown.contains("Signal"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("tag"), "{shown}");
    }

    #[test]
    fn keys_that_no_header_carries_are_refused() {
        for secret in ["", " ", "a b", "ключ", "a\n"] {
            assert!(Key::new("k", Role::Read, secret).is_err(), "{secret:?}");
        }
        assert_eq!("operate".parse(), Ok(Role::Operate));
        assert!("admin".parse::<Role>().unwrap_err().to_string().contains("read, signal, operate"));
    }
}
