//! Which file takes which names from which other, by `use` and by paths in the code.

use super::modules::{Module, ModulePath, Modules};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use syn::visit::Visit;

/// For each file, the files that it imports from and the names that it takes.
pub(crate) type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// The imports between the files of a crate.
pub(crate) fn between_files(modules: &Modules) -> Imports {
    let mut imports = Imports::new();
    for (path, module) in &modules.by_path {
        let mut finder = Finder { modules, path, module, imports: &mut imports };
        for (_, imported) in &module.imported {
            finder.take(imported);
        }
        for item in &module.items {
            finder.visit_item(item);
        }
    }
    imports
}

struct Finder<'a> {
    modules: &'a Modules,
    path: &'a ModulePath,
    module: &'a Module,
    imports: &'a mut Imports,
}

impl Finder<'_> {
    fn take(&mut self, path: &[String]) {
        let Some(home) = self.modules.home(self.path, path) else { return };
        if home.file != self.module.file {
            let taken = self.imports.entry(self.module.file.clone()).or_default();
            let names = taken.entry(home.file.clone()).or_default();
            names.extend(path.last().cloned());
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if names.len() > 1 {
            self.take(&names);
        }
        syn::visit::visit_path(self, path);
    }
}
