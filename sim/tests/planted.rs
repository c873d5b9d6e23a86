//! The planted bugs still apply, and every oracle has one. Whether they are caught is `order-sim planted`'s to say.

use order_manager_sim::planted;
use std::path::Path;

#[test]
fn every_planted_bug_applies_and_every_oracle_has_one() {
    let root = planted::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert_eq!(planted::complaints(&root).unwrap(), Vec::<String>::new());
    assert!(planted::read_all(&root).unwrap().len() >= 40);
}
