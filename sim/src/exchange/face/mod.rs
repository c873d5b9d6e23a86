//! The JSON/HTTP face.
