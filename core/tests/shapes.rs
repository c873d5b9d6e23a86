//! What the journal holds grows at its ends only: no name is written, so what stands where says what it is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails loudly"
)]

mod shapes {
    pub(crate) mod walk;
}

use order_manager_core::command::Command;
use order_manager_core::journal::Record;
use order_manager_core::manager::Checkpoint;
use order_manager_core::rows::Projector;
use serde::Deserialize;
use shapes::walk::check;
use std::path::Path;

#[test]
fn fields_and_variants_are_added_at_the_end_and_have_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes.txt");
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let fresh = check::<(Record, Vec<Command>, Checkpoint, Projector)>(&stored).unwrap_or_else(|why| panic!("{why}"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    } else {
        assert!(
            stored == fresh,
            "something was added rightly; list it: UPDATE_DOCS=1 cargo test --test shapes\n\n{fresh}"
        );
    }
}

macro_rules! shape {
    ($shape:item) => {{
        #[derive(Deserialize)]
        #[serde(rename = "Shape")]
        #[expect(dead_code, reason = "read alone")]
        $shape
        check::<Shape>
    }};
}

#[test]
fn what_is_moved_or_taken_out_or_has_no_default_is_refused() {
    let was = shape!(
        struct Shape {
            one: u8,
            two: Option<u64>,
        }
    )("")
    .unwrap();
    assert_eq!(was, "Shape\n  one: integer\n  two: maybe integer\n");
    let longer = shape!(
        struct Shape {
            one: u8,
            two: Option<u64>,
            #[serde(default)]
            three: u8,
        }
    );
    assert_eq!(longer(&was).unwrap(), "Shape\n  one: integer\n  two: maybe integer\n  three: integer\n");
    let refused = [
        shape!(
            struct Shape {
                two: Option<u64>,
                one: u8,
            }
        )(&was),
        shape!(
            struct Shape {
                one: u8,
            }
        )(&was),
        shape!(
            struct Shape {
                one: u8,
                #[serde(default)]
                three: u8,
                two: Option<u64>,
            }
        )(&was),
        shape!(
            struct Shape {
                one: u8,
                two: Option<u64>,
                three: u8,
            }
        )(&was),
        shape!(
            struct Shape {
                one: String,
                two: Option<u64>,
            }
        )(&was),
        shape!(
            struct Shape {
                one: (u8, u8),
                two: Option<u64>,
            }
        )(&was),
    ];
    for verdict in refused {
        assert!(verdict.as_ref().is_err_and(|why| why.contains("Shape")), "{verdict:?}");
    }
}

#[test]
fn variants_are_held_as_fields_are() {
    let was = shape!(
        enum Shape {
            One,
            Two { a: u8, b: u8 },
        }
    )("")
    .unwrap();
    assert_eq!(was, "Shape\n  One\n  Two\n\nShape::Two\n  a: integer\n  b: integer\n");
    assert!(
        shape!(
            enum Shape {
                One,
                Two { a: u8, b: u8 },
                Three,
            }
        )(&was)
        .is_ok()
    );
    assert!(
        shape!(
            enum Shape {
                One {
                    #[serde(default)]
                    a: u8,
                },
                Two {
                    a: u8,
                    b: u8,
                },
            }
        )(&was)
        .is_ok()
    );
    let refused = [
        shape!(
            enum Shape {
                Two { a: u8, b: u8 },
                One,
            }
        )(&was),
        shape!(
            enum Shape {
                One,
                Two { b: u8, a: u8 },
            }
        )(&was),
        shape!(
            enum Shape {
                One { a: u8 },
                Two { a: u8, b: u8 },
            }
        )(&was),
        shape!(
            enum Shape {
                One(Option<u8>),
                Two { a: u8, b: u8 },
            }
        )(&was),
    ];
    for verdict in refused {
        assert!(verdict.as_ref().is_err_and(|why| why.contains("Shape")), "{verdict:?}");
    }
}
