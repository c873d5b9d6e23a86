//! Packages depend one way: fuzz -> sim -> core, service -> sim, core.

use super::sources;

/// Each package of the workspace, by its folder, and which of ours it may depend on.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("sim", &["order-manager-core"]),
    ("service", &["order-manager-core", "order-manager-sim"]),
    ("fuzz", &["order-manager-core", "order-manager-sim"]),
    (".", &["order-manager-core", "order-manager-sim", "order-manager-service"]),
];

#[test]
fn packages_depend_one_way() {
    let all = sources::read_all();
    let manifests: Vec<_> = all.iter().filter(|source| source.path.ends_with("Cargo.toml")).collect();
    let complaints = manifests.iter().flat_map(|manifest| {
        let folder = manifest.path.strip_suffix("/Cargo.toml").unwrap_or(".");
        complaints(folder, &manifest.text)
    });
    super::none(complaints.collect());
    let sim = manifests.iter().find(|manifest| manifest.path == "sim/Cargo.toml").unwrap();
    assert_eq!(ours(&sim.text), ["order-manager-core"], "sim runs the core");
}

fn complaints(folder: &str, manifest: &str) -> Vec<String> {
    let Some((_, allowed)) = DEPENDENCIES.iter().find(|(name, _)| *name == folder) else {
        return vec![format!("{folder}/Cargo.toml: this package is not in the table of tests/tidy/packages.rs")];
    };
    let bad = ours(manifest).into_iter().filter(|name| !allowed.contains(&name.as_str()));
    bad.map(|name| format!("{folder}/Cargo.toml: must not depend on {name}")).collect()
}

/// Our own packages among the dependencies of a manifest, those of its tests and its build included.
fn ours(manifest: &str) -> Vec<String> {
    let (mut in_dependencies, mut names) = (false, Vec::new());
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            in_dependencies = section.ends_with("dependencies") && section != "workspace.dependencies";
            let named = section.rsplit_once("dependencies.").map(|(_, name)| name.to_owned());
            names.extend(named.filter(|_| !section.starts_with("workspace.")));
        } else if in_dependencies {
            names.extend(line.split(['.', '=', ' ']).next().map(str::to_owned));
        }
    }
    names.retain(|name| name.starts_with("order-manager"));
    names
}

#[test]
fn a_planted_bad_dependency_is_found() {
    let manifest = "[package]\nname = \"order-manager-core\"\n[dependencies]\nserde = \"1\"\norder-manager-sim.workspace = true\n\
                    [dev-dependencies.order-manager-service]\npath = \"../service\"\n";
    let expected = [
        "core/Cargo.toml: must not depend on order-manager-sim",
        "core/Cargo.toml: must not depend on order-manager-service",
    ];
    assert_eq!(complaints("core", manifest), expected);
    assert_eq!(complaints("extra", manifest).len(), 1);
}
