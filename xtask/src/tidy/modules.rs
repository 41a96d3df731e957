//! The modules of a crate: the file of each, the names that it defines and those that it imports.

use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::{Item, UseTree};

/// A module's place in its crate: the names of the modules around it and its own.
pub(crate) type ModulePath = Vec<String>;

/// A module, whether it has a file of its own or stands within that of another.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    /// Its items, without those of the modules in it.
    pub(crate) items: Vec<Item>,
    defined: BTreeSet<String>,
    /// What each imported name stands for, as it is written.
    pub(crate) imported: Vec<(String, Vec<String>)>,
    globs: Vec<Vec<String>>,
}

/// All modules of a crate but those of tests.
pub(crate) struct Modules {
    pub(crate) by_path: BTreeMap<ModulePath, Module>,
    texts: BTreeMap<PathBuf, String>,
}

impl Modules {
    /// Reads a crate from the folder that holds its `lib.rs` or `main.rs`.
    pub(crate) fn of_crate(folder: &Path) -> Result<Modules> {
        let mut modules = Modules { by_path: BTreeMap::new(), texts: BTreeMap::new() };
        for root in ["lib.rs", "main.rs"] {
            if folder.join(root).exists() {
                modules.read(Vec::new(), &folder.join(root), folder)?;
            }
        }
        Ok(modules)
    }

    /// Each file with its text.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_path(), text.as_str()))
    }

    fn read(&mut self, path: ModulePath, file: &Path, children: &Path) -> Result<()> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let syntax = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        self.texts.insert(file.to_owned(), text);
        self.add(path, file, children, syntax.items)
    }

    fn add(
        &mut self,
        path: ModulePath,
        file: &Path,
        children: &Path,
        items: Vec<Item>,
    ) -> Result<()> {
        let mut module = Module {
            file: file.to_owned(),
            items: Vec::new(),
            defined: BTreeSet::new(),
            imported: Vec::new(),
            globs: Vec::new(),
        };
        for item in items {
            match item {
                Item::Mod(inner) if is_for_tests(&inner.attrs) => {}
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    let inner_path = [path.as_slice(), std::slice::from_ref(&name)].concat();
                    let folder = children.join(&name);
                    match inner.content {
                        Some((_, items)) => self.add(inner_path, file, &folder, items)?,
                        None => {
                            let flat = children.join(format!("{name}.rs"));
                            let nested = folder.join("mod.rs");
                            let file = if flat.exists() { flat } else { nested };
                            self.read(inner_path, &file, &folder)?;
                        }
                    }
                }
                item if is_for_tests(attributes(&item)) => {}
                Item::Use(import) => module.import(Vec::new(), &import.tree),
                item => {
                    module.defined.extend(defined_name(&item));
                    module.items.push(item);
                }
            }
        }
        self.by_path.insert(path, module);
        Ok(())
    }

    /// The module that defines what a path means in the module `within`; `None` for what is not of this
    /// crate, and for a module by itself, which is only the way to what is in it.
    pub(crate) fn home(&self, within: &[String], path: &[String]) -> Option<&Module> {
        self.resolve(within, path, 8)
    }

    /// `depth` bounds the re-exports that are followed.
    fn resolve(&self, within: &[String], path: &[String], depth: usize) -> Option<&Module> {
        if depth == 0 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => return self.resolve_from(Vec::new(), rest, depth),
            "self" => return self.resolve_from(within.to_vec(), rest, depth),
            "super" => {
                let (_, parent) = within.split_last()?;
                return self.resolve(parent, &[&["self".to_owned()], rest].concat(), depth);
            }
            _ => {}
        }
        self.resolve_from(within.to_vec(), path, depth)
    }

    fn resolve_from(&self, mut at: ModulePath, path: &[String], depth: usize) -> Option<&Module> {
        let module = self.by_path.get(&at)?;
        let (first, rest) = path.split_first()?;
        if first == "super" {
            at.pop();
            return self.resolve_from(at, rest, depth);
        }
        at.push(first.clone());
        if self.by_path.contains_key(&at) {
            return self.resolve_from(at, rest, depth);
        }
        at.pop();
        if module.defined.contains(first) {
            return Some(module);
        }
        if let Some((_, target)) = module.imported.iter().find(|(name, _)| name == first) {
            return self.resolve(&at, &[target.as_slice(), rest].concat(), depth - 1);
        }
        module
            .globs
            .iter()
            .find_map(|glob| self.resolve(&at, &[glob.as_slice(), path].concat(), depth - 1))
    }
}

impl Module {
    fn import(&mut self, mut prefix: Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.import(prefix, &path.tree);
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(prefix.clone(), tree));
            }
            UseTree::Glob(_) => self.globs.push(prefix),
            UseTree::Name(name) => self.import_name(prefix, &name.ident, &name.ident),
            UseTree::Rename(rename) => self.import_name(prefix, &rename.ident, &rename.rename),
        }
    }

    fn import_name(&mut self, mut path: Vec<String>, name: &syn::Ident, called: &syn::Ident) {
        let called = if name == "self" { path.last().cloned() } else { Some(called.to_string()) };
        if name != "self" {
            path.push(name.to_string());
        }
        self.imported.extend(called.map(|called| (called, path)));
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(attribute.parse_args::<syn::Ident>(), Ok(name) if name == "test")
    })
}

fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}
