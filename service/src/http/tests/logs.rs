//! What the tests log. One subscriber for all of them: one for a test alone would miss lines, because whether a
//! line is wanted is remembered for the whole process.

use std::io::Write;
use std::sync::{Mutex, Once};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Before anything can log.
pub(super) fn collect() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let json = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
        tracing::subscriber::set_global_default(json.with_writer(|| Sink).finish()).unwrap();
    });
}

/// The lines so far, of every test.
pub(super) fn logged() -> Vec<String> {
    String::from_utf8(LINES.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
}
