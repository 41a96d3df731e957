//! The body of a layer's function.

use crate::model::Activation;
use crate::model_format::c_header::text::literal;

/// A body, with words in capitals where something is put in.
pub(super) struct Body {
    template: String,
    /// Constants that it is written with.
    pub(super) sizes: Vec<(&'static str, usize)>,
    /// Arrays of whole numbers beside the tensors.
    pub(super) arrays: Vec<(&'static str, Vec<usize>)>,
    /// Arrays of numbers beside the tensors.
    pub(super) numbers: Vec<(&'static str, Vec<f32>)>,
    /// What `ACTIVATION(...)` stands for.
    pub(super) activation: Activation,
}

impl Body {
    pub(super) fn new(template: &str, sizes: &[(&'static str, usize)]) -> Body {
        let (template, sizes) = (template.to_owned(), sizes.to_vec());
        let activation = Activation::Identity;
        Body { template, sizes, arrays: Vec::new(), numbers: Vec::new(), activation }
    }

    pub(super) fn with(mut self, word: &str, text: &str) -> Body {
        self.template = self.template.replace(word, text);
        self
    }

    pub(super) fn with_array(mut self, name: &'static str, numbers: Vec<usize>) -> Body {
        self.arrays.push((name, numbers));
        self
    }

    pub(super) fn with_numbers(mut self, name: &'static str, numbers: Vec<f32>) -> Body {
        self.numbers.push((name, numbers));
        self
    }

    pub(super) fn with_number(self, word: &str, number: f32) -> Body {
        self.with(word, &literal(number))
    }

    pub(super) fn with_activation(self, activation: Activation) -> Body {
        Body { activation, ..self }
    }

    /// The code, where the activation is a function called `activation`.
    pub(super) fn code(&self, activation: &str) -> String {
        let call = match self.activation {
            Activation::Identity => "",
            _ => activation,
        };
        self.template.trim_start_matches('\n').replace("ACTIVATION", call)
    }
}
