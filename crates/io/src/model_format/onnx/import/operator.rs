//! A node of a graph that is read: its attributes, each of which must be understood.

use crate::model_format::onnx::proto::{AttributeProto, NodeProto};
use std::cell::RefCell;

/// A node, and which of its attributes were looked at.
pub(in crate::model_format::onnx) struct Operator<'a> {
    pub(super) node: &'a NodeProto,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Operator<'a> {
    pub(in crate::model_format::onnx) fn new(node: &'a NodeProto) -> Operator<'a> {
        Operator { node, known: RefCell::new(Vec::new()) }
    }

    /// The name of an input; `None` where it is left out.
    pub(super) fn input(&self, index: usize) -> Option<&'a str> {
        self.node.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The name of an input that must be there.
    ///
    /// # Errors
    /// It is left out.
    pub(super) fn needed(&self, index: usize) -> Result<&'a str, String> {
        self.input(index).ok_or_else(|| format!("lacks its input {index}"))
    }

    /// The name of an output that something may take.
    pub(super) fn output(&self, index: usize) -> Option<&'a str> {
        self.node.output.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    fn attribute(&self, name: &'static str) -> Option<&'a AttributeProto> {
        self.known.borrow_mut().push(name);
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// A whole number.
    pub(super) fn integer(&self, name: &'static str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i.unwrap_or_default())
    }

    /// A number.
    pub(super) fn float(&self, name: &'static str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |attribute| attribute.f.unwrap_or_default())
    }

    /// Whole numbers, where they are given.
    pub(super) fn integers(&self, name: &'static str) -> Option<&'a [i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    /// A text.
    pub(super) fn text(&self, name: &'static str, default: &'static str) -> String {
        self.attribute(name).map_or(default.to_owned(), |attribute| {
            String::from_utf8_lossy(attribute.s.as_deref().unwrap_or_default()).into_owned()
        })
    }

    /// Texts, where they are given.
    pub(super) fn texts(&self, name: &'static str) -> Option<Vec<String>> {
        let attribute = self.attribute(name)?;
        let texts = attribute.strings.iter();
        Some(texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect())
    }

    /// The node as it is called in errors.
    pub(in crate::model_format::onnx) fn shown(&self) -> String {
        let NodeProto { op_type, name, output, .. } = self.node;
        let output = output.first().map_or("", String::as_str);
        match name.is_empty() {
            true => format!("the node {op_type:?} that gives {output:?}"),
            false => format!("the node {op_type:?} called {name:?}"),
        }
    }

    /// Takes an attribute as known, whatever it says: nothing depends on it here.
    pub(super) fn pass(&self, name: &'static str) {
        self.attribute(name);
    }

    /// Checks that a whole number is as expected.
    ///
    /// # Errors
    /// It is another.
    pub(super) fn expect(
        &self,
        name: &'static str,
        default: i64,
        expected: i64,
    ) -> Result<(), String> {
        match self.integer(name, default) {
            found if found == expected => Ok(()),
            found => Err(format!("has the attribute {name} = {found}; {expected} is supported")),
        }
    }

    /// Checks that every attribute was looked at.
    ///
    /// # Errors
    /// Names one that was not.
    pub(super) fn finish(&self) -> Result<(), String> {
        let known = self.known.borrow();
        let is_known = |attribute: &&AttributeProto| known.contains(&attribute.name.as_str());
        match self.node.attribute.iter().find(|attribute| !is_known(attribute)) {
            Some(other) => {
                Err(format!("has the attribute {}, which is not understood", other.name))
            }
            None => Ok(()),
        }
    }
}
