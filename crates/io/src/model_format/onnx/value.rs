//! Values within the graph: what they are called, and how their dimensions are arranged.
//!
//! Layers of one network want them in different forms. What makes one form of another is appended where a
//! layer asks for it, once for each value and form.

use super::graph::{Graph, integers};
use crate::model::View;

/// The dimensions of a value; N is the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// N x all values, position by position.
    Flat,
    /// N x height x width x channels.
    Positions,
    /// N x channels x height x width, as convolutions take them.
    Channels,
    /// Steps x N x channels, as recurrent layers take them.
    Steps,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Form::Flat => "flat",
            Form::Positions => "positions",
            Form::Channels => "channels",
            Form::Steps => "steps",
        }
    }

    /// The dimension of the channels; in the flat form, where there is only one position.
    pub(super) fn channel_axis(self) -> usize {
        match self {
            Form::Flat | Form::Channels => 1,
            Form::Positions => 3,
            Form::Steps => 2,
        }
    }
}

/// What a node gives, or the features.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// What the graph calls it.
    pub(super) name: String,
    /// How it is arranged there.
    pub(super) form: Form,
    /// How it is arranged in the network.
    pub(super) view: View,
    /// What its names in other forms begin with.
    pub(super) owner: String,
}

impl Value {
    /// Its name in a form; appends what makes it of the form that it has.
    pub(super) fn in_form(&self, graph: &mut Graph, form: Form) -> String {
        use Form::{Channels, Flat, Positions, Steps};
        if self.form == form {
            return self.name.clone();
        }
        let output = format!("{}/{}", self.owner, form.name());
        if graph.gives(&output) {
            return output;
        }
        let View { height, width, channels } = self.view;
        // Position by position is then channel by channel.
        let is_one_order = channels == 1 || height * width == 1;
        let name = &self.name;
        match (self.form, form) {
            (Positions, Flat) => graph.reshape(name, &output, &[self.view.units()]),
            (Channels, Flat) if is_one_order => graph.reshape(name, &output, &[self.view.units()]),
            (Flat, Channels) if is_one_order => {
                graph.reshape(name, &output, &[channels, height, width])
            }
            (Flat, Positions) => graph.reshape(name, &output, &[height, width, channels]),
            (Positions, Channels) => transpose(graph, name, &output, &[0, 3, 1, 2]),
            (Channels, Positions) => transpose(graph, name, &output, &[0, 2, 3, 1]),
            (Flat | Positions, Steps) => {
                let series = graph.reshape(name, &self.series(), &[width, channels]);
                transpose(graph, &series, &output, &[1, 0, 2])
            }
            (Steps, Flat) => {
                let series = transpose(graph, name, &self.series(), &[1, 0, 2]);
                graph.reshape(&series, &output, &[self.view.units()])
            }
            (Steps, Positions) => {
                let series = transpose(graph, name, &self.series(), &[1, 0, 2]);
                graph.reshape(&series, &output, &[height, width, channels])
            }
            _ => {
                let name = self.in_form(graph, Positions);
                Value { name, form: Positions, ..self.clone() }.in_form(graph, form)
            }
        }
    }

    /// The form that it has, if channels are a dimension of their own there, or else one in which they are.
    pub(super) fn form_with_channels(&self) -> Form {
        match self.form {
            Form::Flat if self.view != View::flat(self.view.channels) => Form::Positions,
            form => form,
        }
    }

    /// The form that it has, if channels are the last dimension there, or else one in which they are.
    pub(super) fn form_with_channels_last(&self) -> Form {
        match self.form_with_channels() {
            Form::Channels => Form::Positions,
            form => form,
        }
    }

    /// N x steps x channels.
    fn series(&self) -> String {
        format!("{}/series", self.owner)
    }
}

fn transpose(graph: &mut Graph, input: &str, output: &str, order: &[usize]) -> String {
    graph.node("Transpose", &[input], output, vec![integers("perm", order)])
}
