//! The parts of the header beside the layers: comment, constants, and the function that predicts.

use super::layer;
use super::plan::Plan;
use super::text::{array, literal, quoted, shown};
use crate::model::{Model, OutputKind, Scale};
use crate::schema::{InputKind, Target, Vocabulary};

/// What a header begins with.
pub(super) const FIRST_LINE: &str =
    "/* A model exported by gristmill: C99, needs nothing but libm.";

/// How to use it, and what goes in and comes out in which order.
pub(super) fn comment(model: &Model, plan: &Plan) -> String {
    let mut text = format!(
        "{FIRST_LINE}\n\n   \
         gristmill_predict(features, out) reads GRISTMILL_FEATURES numbers and writes\n   \
         GRISTMILL_OUTPUTS. It allocates nothing, may be called from several threads, and needs\n   \
         about {} bytes of stack.\n\n   Features, as they are in the data, not standardised:\n",
        4 * (model.inputs.len() + plan.numbers()),
    );
    let mut feature = 0;
    for input in &model.columns().inputs {
        let name = shown(&input.name);
        match &input.kind {
            InputKind::Number { fill } => {
                let missing = fill.map_or(String::new(), |fill| {
                    format!(" (NAN where it is missing: {} takes its place)", literal(fill))
                });
                text += &format!("     {feature}  {name}{missing}\n");
            }
            InputKind::Index { vocabulary } => {
                let which = match vocabulary {
                    Vocabulary::Codes(count) => format!("a number from 0 to {}", count - 1),
                    Vocabulary::Names(_) => "the index of one of these".to_owned(),
                };
                let unknown = vocabulary.len();
                text += &format!(
                    "     {feature}  {name}: {which} (all else counts as {unknown}, not known)\n"
                );
                if let Vocabulary::Names(names) = vocabulary {
                    for (index, category) in names.iter().enumerate() {
                        text += &format!("          {index}  {}\n", shown(category));
                    }
                }
            }
            InputKind::Text(words) => {
                text += &format!(
                    "     {feature}  {name}: {} indices of words, each from 0 to {} (all else counts as none)\n",
                    words.length,
                    words.buckets - 1
                );
            }
            InputKind::OneHot { categories } => {
                for (index, category) in categories.iter().enumerate() {
                    let (feature, category) = (feature + index, shown(category));
                    text += &format!("     {feature}  1 where {name} is {category}, else 0\n");
                }
            }
        }
        feature += input.features();
    }
    text += "\n   Outputs:\n";
    match &model.encoding.target {
        Target::Classes { names, .. } => {
            for (index, name) in names.iter().enumerate() {
                text += &format!("     {index}  probability of {}\n", shown(name));
            }
        }
        Target::Numbers { columns } => {
            for (index, name) in columns.iter().enumerate() {
                text += &format!("     {index}  {}\n", shown(name));
            }
        }
        Target::None => {}
    }
    text + "*/\n#ifndef GRISTMILL_MODEL_H\n#define GRISTMILL_MODEL_H\n\n#include <math.h>\n\n"
}

/// Sizes, names and scales.
pub(super) fn constants(model: &Model) -> String {
    let mut code = format!(
        "#define GRISTMILL_FEATURES {}\n#define GRISTMILL_OUTPUTS {}\n\n",
        model.inputs.len(),
        model.predictions(),
    );
    let names = match &model.encoding.target {
        Target::Classes { names, .. } => names.as_slice(),
        Target::Numbers { columns } => columns,
        Target::None => &[],
    };
    let names: Vec<String> = names.iter().map(|name| format!("        {}", quoted(name))).collect();
    code += &format!(
        "/* The name of an output. */\n\
         static inline const char *gristmill_output_name(int output) {{\n    \
         static const char *const names[GRISTMILL_OUTPUTS] = {{\n{}\n    }};\n    \
         return names[output];\n}}\n\n",
        names.join(",\n"),
    );
    let part =
        |scales: &[Scale], part: fn(&Scale) -> f32| scales.iter().map(part).collect::<Vec<_>>();
    code += &array("gristmill_mean", &part(&model.inputs, |scale| scale.mean));
    code += &array("gristmill_deviation", &part(&model.inputs, |scale| scale.deviation));
    if undoes_scale(model) {
        code += &array("gristmill_output_mean", &part(&model.outputs, |scale| scale.mean));
        code +=
            &array("gristmill_output_deviation", &part(&model.outputs, |scale| scale.deviation));
    }
    code + "\n"
}

/// The function that predicts.
pub(super) fn predict(model: &Model, plan: &Plan, width: usize) -> String {
    let buffers = plan.buffers.iter().enumerate();
    let buffers: String = buffers.map(|(index, size)| format!(", buffer{index}[{size}]")).collect();
    let mut code = format!(
        "static inline void gristmill_predict(const float *features, float *out) {{\n    \
         float inputs[GRISTMILL_FEATURES]{buffers};\n    \
         for (int i = 0; i < GRISTMILL_FEATURES; i++) inputs[i] = features[i];\n",
    );
    let mut feature = 0;
    for input in &model.columns().inputs {
        if let InputKind::Number { fill: Some(fill) } = &input.kind {
            let fill = literal(*fill);
            code += &format!("    if (isnan(inputs[{feature}])) inputs[{feature}] = {fill};\n");
        }
        let categories = match &input.kind {
            InputKind::Index { vocabulary } => vocabulary.len(),
            InputKind::Text(words) => words.buckets as usize,
            InputKind::Number { .. } | InputKind::OneHot { .. } => 0,
        };
        if categories > 0 {
            let end = feature + input.features();
            code += &format!(
                "    for (int i = {feature}; i < {end}; i++)\n        \
                 if (!(inputs[i] >= 0.0f && inputs[i] < {categories}.0f && inputs[i] == floorf(inputs[i]))) inputs[i] = {categories}.0f;\n"
            );
        }
        feature += input.features();
    }
    code += "    for (int i = 0; i < GRISTMILL_FEATURES; i++)\n        \
             inputs[i] = (inputs[i] - gristmill_mean[i]) / gristmill_deviation[i];\n";
    for (index, step) in plan.steps.iter().enumerate() {
        let from: String = step.from.iter().map(|place| place.name() + ", ").collect();
        code += &format!("    {}({from}{});\n", layer::name(index), step.to.name());
    }
    let from = plan.last.name();
    code += &match model.output {
        OutputKind::Softmax => format!(
            "    float most = {from}[0], total = 0.0f;\n    \
             for (int i = 1; i < {width}; i++) if ({from}[i] > most) most = {from}[i];\n    \
             for (int i = 0; i < {width}; i++) total += {from}[i] = expf({from}[i] - most);\n    \
             for (int i = 0; i < {width}; i++) {from}[i] /= total;\n"
        ),
        OutputKind::Sigmoid => {
            format!(
                "    for (int i = 0; i < {width}; i++) {from}[i] = 1.0f / (1.0f + expf(-{from}[i]));\n"
            )
        }
        OutputKind::Values if undoes_scale(model) => format!(
            "    for (int i = 0; i < {width}; i++)\n        \
             {from}[i] = {from}[i] * gristmill_output_deviation[i] + gristmill_output_mean[i];\n"
        ),
        OutputKind::Values => String::new(),
    };
    // A single output that tells two classes apart gives the probabilities of both.
    code += &match model.predictions() {
        2 if width == 1 => format!("    out[0] = 1.0f - {from}[0];\n    out[1] = {from}[0];\n"),
        _ => format!("    for (int i = 0; i < {width}; i++) out[i] = {from}[i];\n"),
    };
    code + "}\n\n#endif\n"
}

fn undoes_scale(model: &Model) -> bool {
    model.output == OutputKind::Values && !model.outputs.is_empty()
}
