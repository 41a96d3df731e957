//! From a configuration and the shape of the data to a plan in which nothing is left to decide.

use super::{
    CheckpointConfig, ClassWeights, ConfigError, DataShape, EarlyStoppingConfig, LayerPlan,
    OptimizerPlan, RunConfig, Shuffle, TargetShape, ValidationConfig,
};
use crate::data::augment::Augment;
use crate::layer::View;
use crate::network::graph::looked_up;
use crate::schedule::Schedule;
use gristmill_io::model::Series;
use gristmill_kernels::Loss;
use gristmill_kernels::embedding::Column;

/// What the trainer does, decided in every point. Made by [`RunConfig::resolve`].
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingPlan {
    /// The configuration with every default that depends on the data filled in.
    pub config: RunConfig,
    /// Decides every draw.
    pub seed: u64,
    /// At least one; the last one's outputs are what the loss takes.
    pub layers: Vec<LayerPlan>,
    /// How the features of a sample are arranged.
    pub features: View,
    /// Which rows a sample has, if it has several.
    pub series: Option<Series>,
    /// How rows are changed each time they are learned from, if they are.
    pub augment: Option<Augment>,
    /// Whether the target is a class.
    pub is_class: bool,
    /// What is minimised.
    pub loss: Loss,
    /// How parameters follow their gradient.
    pub optimizer: OptimizerPlan,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Rows per step; at least 1.
    pub batch_size: usize,
    /// At least 1.
    pub epochs: u32,
    /// 0 is every core.
    pub threads: usize,
    /// In which order an epoch visits the rows; [`Shuffle::Auto`] depends on the machine's memory.
    pub shuffle: Shuffle,
    /// Bytes of memory for rows; `None` is what the machine has.
    pub memory: Option<u64>,
    /// Whether features are scaled to mean 0 and deviation 1.
    pub standardize_inputs: bool,
    /// Whether numeric targets are; false for classes.
    pub standardize_targets: bool,
    /// How much a row counts by its class.
    pub class_weights: ClassWeights,
    /// Which rows are held out.
    pub validation: ValidationConfig,
    /// When to stop before the last epoch.
    pub early_stopping: EarlyStoppingConfig,
    /// How often the run is saved.
    pub checkpoint: CheckpointConfig,
}

impl RunConfig {
    /// Checks what does not depend on the data, which may then be slow to come by.
    ///
    /// # Errors
    /// A value out of its range, or values that do not fit each other.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_paths()?;
        self.data.check()?;
        self.data.augment.check()?;
        self.loss.complete(self.loss.kind)?;
        self.network.check()?;
        self.optimizer.resolve()?;
        self.training.check()?;
        self.schedule.resolve(self.training.epochs)?;
        self.validation.check()?;
        self.early_stopping.check()?;
        self.checkpoint.check()
    }

    /// Decides everything that the configuration leaves open, for data of this shape.
    ///
    /// # Errors
    /// A value out of its range, or values that do not fit each other or the data; the error names
    /// the key, the value and what is allowed.
    pub fn resolve(&self, data: &DataShape<'_>) -> Result<TrainingPlan, ConfigError> {
        self.check()?;
        let features = self.data.view(data.features)?;
        let (loss_config, loss) = self.loss.resolve(data.target)?;
        let outputs = match data.target {
            TargetShape::Numbers(count) => count,
            TargetShape::Classes(_) if loss == Loss::BinaryCrossEntropy => 1,
            TargetShape::Classes(names) => names.len(),
        };
        let (network, layers) =
            self.network.resolve(features, data.index_columns, outputs, loss)?;
        let looks_up = looked_up(layers.iter().map(|layer| &layer.node)).next().is_some();
        let augment = self.data.augment.resolve(features, looks_up, self.training.batch_size)?;
        let output_activation = layers[layers.len() - 1].activation();
        let (optimizer_config, optimizer) = self.optimizer.resolve()?;
        let standardize_targets = self.training.resolve(data.target, loss, output_activation)?;
        let (schedule_config, schedule) = self.schedule.resolve(self.training.epochs)?;
        self.early_stopping.check_metric(data.target)?;

        let mut config = self.clone();
        let series = self.data.series();
        config.data.horizon = series.map(|series| series.horizon);
        config.loss = loss_config;
        config.network = network;
        config.optimizer = optimizer_config;
        config.schedule = schedule_config;
        config.training.standardize_targets = Some(standardize_targets);
        Ok(TrainingPlan {
            seed: u64::from(self.seed),
            layers,
            features,
            series,
            augment,
            is_class: matches!(data.target, TargetShape::Classes(_)),
            loss,
            optimizer,
            schedule,
            batch_size: self.training.batch_size,
            epochs: self.training.epochs,
            threads: self.training.threads,
            shuffle: self.training.shuffle,
            memory: self.training.memory.map(|size| size.0),
            standardize_inputs: self.training.standardize_inputs,
            standardize_targets,
            class_weights: self.training.class_weights.clone(),
            validation: self.validation.clone(),
            early_stopping: self.early_stopping.clone(),
            checkpoint: self.checkpoint.clone(),
            config,
        })
    }
}

impl TrainingPlan {
    /// Numbers that the network puts out.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |last| last.node.layer.output().units())
    }

    /// Features that are numbers of categories, which embeddings look up as they are.
    pub(crate) fn looked_up(&self) -> impl Iterator<Item = Column> + '_ {
        looked_up(self.layers.iter().map(|layer| &layer.node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Dense, Kind};
    use crate::network::init::Init;
    use crate::schedule::Curve;
    use gristmill_kernels::{Activation, UpdateRule};

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("class{i}")).collect()
    }

    fn classes(names: &[String]) -> DataShape<'_> {
        DataShape { features: 4, index_columns: &[], target: TargetShape::Classes(names) }
    }

    fn numbers(count: usize) -> DataShape<'static> {
        DataShape { features: 4, index_columns: &[], target: TargetShape::Numbers(count) }
    }

    fn resolve(toml: &str, data: DataShape<'_>) -> TrainingPlan {
        RunConfig::from_toml(toml).unwrap().resolve(&data).unwrap()
    }

    fn dense(layer: &LayerPlan) -> &Dense {
        let Kind::Dense(dense) = &layer.node.layer else { panic!("{layer:?}") };
        dense
    }

    fn shape(layer: &LayerPlan) -> (usize, usize) {
        (dense(layer).shape.inputs, dense(layer).shape.outputs)
    }

    fn dropout(layer: &LayerPlan) -> f32 {
        dense(layer).dropout
    }

    #[test]
    fn defaults_follow_the_task() {
        let plan = resolve("", classes(&names(2)));
        assert_eq!(plan.loss, Loss::BinaryCrossEntropy);
        assert!(!plan.standardize_targets);
        let shapes: Vec<_> = plan.layers.iter().map(shape).collect();
        assert_eq!(shapes, [(4, 128), (128, 1)]);
        assert_eq!(plan.layers[0].activation(), Activation::Relu);
        assert_eq!(plan.layers[0].start[0], Init::he(1.0, 4));
        assert_eq!(plan.layers[0].start[1], Init::Zeros);
        assert_eq!(plan.layers[1].activation(), Activation::Identity);
        assert_eq!(plan.layers[1].start[0], Init::xavier(1.0, 128, 1));
        let adam = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        assert_eq!(plan.optimizer.rule, adam);
        assert_eq!(plan.optimizer.learning_rate, 0.001);
        assert_eq!(plan.schedule, Schedule { warmup: 0.0, curve: Curve::Constant });

        let plan = resolve("[network]\nhidden = []", classes(&names(3)));
        assert_eq!(plan.loss, Loss::SoftmaxCrossEntropy);
        assert_eq!((plan.layers.len(), shape(&plan.layers[0]).1), (1, 3));

        let plan = resolve("", numbers(2));
        assert_eq!(plan.loss, Loss::MeanSquared);
        assert!(plan.standardize_targets);
        assert_eq!(shape(&plan.layers[1]).1, 2);
    }

    #[test]
    fn softmax_for_two_classes_has_two_logits() {
        let plan = resolve("[loss]\nkind = 'softmax-cross-entropy'", classes(&names(2)));
        assert_eq!(shape(&plan.layers[1]).1, 2);
    }

    #[test]
    fn a_single_layer_with_explicit_weights() {
        let text = "
            [network]
            hidden = []
            bias = false
            [network.output]
            activation = 'sigmoid'
            weights = [[1.5, -0.5, 0.25, 1]]
            [loss]
            kind = 'half-sum-squares'
            [optimizer]
            kind = 'sgd'
            learning_rate = 0.1";
        let plan = resolve(text, numbers(1));
        assert_eq!(plan.layers.len(), 1);
        assert_eq!(plan.layers[0].start[0], Init::Explicit(vec![1.5, -0.5, 0.25, 1.0]));
        assert_eq!(plan.layers[0].start.len(), 1);
        assert_eq!(plan.layers[0].activation(), Activation::Sigmoid);
        assert_eq!(plan.loss, Loss::HalfSumSquares);
        assert!(!plan.standardize_targets);
    }

    #[test]
    fn layers_override_the_network() {
        let text = "
            [network]
            activation = 'tanh'
            dropout = 0.5
            init = 'lecun'
            init_scale = 2
            [[network.layers]]
            units = 3
            activation = 'leaky_relu(0.2)'
            dropout = 0
            [[network.layers]]
            units = 2
            bias = false
            init = 'uniform'
            [network.output]
            biases = [0.5, -0.5]";
        let plan = resolve(text, numbers(2));
        let [first, second, output] = plan.layers.as_slice() else { panic!("{plan:?}") };
        assert_eq!(first.activation(), Activation::LeakyRelu { slope: 0.2 });
        assert_eq!([first, second, output].map(dropout), [0.0, 0.5, 0.0]);
        assert_eq!(first.start[0], Init::lecun(2.0, 4));
        assert_eq!((second.start.len(), second.activation()), (1, Activation::Tanh));
        assert_eq!(second.start[0], Init::Uniform { limit: 0.05 });
        assert_eq!(output.start[1], Init::Explicit(vec![0.5, -0.5]));
    }

    #[test]
    fn the_completed_configuration_resolves_to_the_same_plan() {
        let three = names(3);
        for (text, data) in [
            ("", classes(&three)),
            ("[network]\nhidden = []\n[loss]\nkind = 'huber'", numbers(3)),
            ("[[network.layers]]\nunits = 5\n[optimizer]\nkind = 'adamw'", numbers(1)),
            ("[schedule]\nkind = 'plateau'\n[optimizer]\nkind = 'rmsprop'", numbers(1)),
            ("[schedule]\nkind = 'one_cycle'\n[optimizer]\nkind = 'nesterov'", numbers(1)),
        ] {
            let plan = resolve(text, data);
            let written = plan.config.to_toml();
            assert_eq!(resolve(&written, data), plan, "{text} became\n{written}");
        }
        let written = resolve("", numbers(1)).config.to_toml();
        for line in [
            "hidden = [128]",
            "activation = \"identity\"",
            "kind = \"mean-squared\"",
            "learning_rate = 0.001",
            "beta1 = 0.9",
            "standardize_targets = true",
        ] {
            assert!(written.lines().any(|l| l == line), "no {line} in\n{written}");
        }
    }

    /// Every mistake: the configuration, whether the data has classes (and how many) or numbers,
    /// and what the message must begin with and contain.
    #[test]
    fn mistakes_name_the_key_the_value_and_what_is_allowed() {
        let cases: &[(&str, usize, &str, &str)] = &[
            ("network.hidden=[0]", 0, "`network.hidden[0]` is 0", "1 to"),
            ("network.hidden=[2]\nnetwork.layers=[{units=1}]", 0, "`network.hidden`", "layers"),
            ("network.hidden=[1000000, 1000000]", 0, "`network` is", "parameters"),
            ("network.activation='rellu'", 0, "`network.activation` is \"rellu\"", "softplus"),
            ("network.activation='elu(x)'", 0, "`network.activation` is \"elu(x)\"", "number"),
            ("network.activation='relu(1)'", 0, "`network.activation`", "no parameter"),
            ("network.dropout=1", 0, "`network.dropout` is 1", "below 1"),
            ("network.dropout=nan", 0, "`network.dropout` is NaN", "below 1"),
            ("network.layers=[{units=1, dropout=-1}]", 0, "`network.layers[0].dropout`", "0 to"),
            ("network.init_scale=0", 0, "`network.init_scale` is 0", "positive"),
            ("network.output.weights=[[1]]", 0, "`network.output.weights[0]`", "128 numbers"),
            ("network.output.weights=[]", 0, "`network.output.weights`", "1 row"),
            ("network.output.biases=[1, 2]", 0, "`network.output.biases`", "1 number"),
            ("network.output.biases=[inf]", 0, "`network.output.biases[0]`", "finite"),
            ("network={bias=false, output={biases=[1]}}", 0, "`network.output.biases`", "bias"),
            (
                "network.layers=[{units=1, init='he', weights=[[1,1,1,1]]}]",
                0,
                "`network.layers[0].init` is he",
                "weights",
            ),
            ("network.output.activation='tanh'", 3, "`network.output.activation`", "identity"),
            ("loss.kind='mean-squared'", 3, "`loss.kind` is mean-squared", "softmax"),
            ("loss.kind='softmax-cross-entropy'", 0, "`loss.kind`", "mean-squared"),
            ("loss.kind='binary-cross-entropy'", 3, "`loss.kind`", "2 classes"),
            ("", 1, "`loss.kind`", "at least 2 classes"),
            ("loss={kind='huber', delta=0}", 0, "`loss.delta` is 0", "positive"),
            ("loss.delta=1", 0, "`loss.delta` is 1", "huber"),
            ("optimizer.learning_rate=-1", 0, "`optimizer.learning_rate` is -1", "positive"),
            ("optimizer.momentum=0.5", 0, "`optimizer.momentum` is 0.5", "momentum, nesterov"),
            ("optimizer={kind='momentum', momentum=1}", 0, "`optimizer.momentum`", "below 1"),
            ("optimizer.beta2=1.5", 0, "`optimizer.beta2` is 1.5", "below 1"),
            ("optimizer.epsilon=0", 0, "`optimizer.epsilon`", "positive"),
            ("optimizer.l1=-1", 0, "`optimizer.l1`", "at least 0"),
            ("optimizer.l2=inf", 0, "`optimizer.l2` is inf", "at least 0"),
            ("optimizer.weight_decay=0.1", 0, "`optimizer.weight_decay`", "adamw"),
            ("optimizer.clip_norm=0", 0, "`optimizer.clip_norm`", "positive"),
            ("schedule.warmup=20", 0, "`schedule.warmup` is 20", "below 20"),
            ("schedule.factor=0.5", 0, "`schedule.factor`", "step, exponential, plateau"),
            ("schedule={kind='step', every=0}", 0, "`schedule.every`", "positive"),
            ("schedule={kind='one-cycle', rise=2}", 0, "`schedule.rise`", "0 to 1"),
            ("schedule={kind='plateau', patience=1, rise=0.1}", 0, "`schedule.rise`", "one-cycle"),
            ("schedule={kind='cosine', patience=1}", 0, "`schedule.patience`", "plateau"),
            ("training.batch_size=0", 0, "`training.batch_size` is 0", "at least 1"),
            ("training.block_rows=10", 0, "`training.block_rows` is 10", "window_blocks beside it"),
            ("training.window_blocks=10", 0, "`training.window_blocks`", "block_rows beside it"),
            ("training.epochs=0", 0, "`training.epochs` is 0", "at least 1"),
            ("training.class_weights='balanced'", 0, "`training.class_weights`", "classes"),
            ("training.class_weights={class7=1}", 3, "`training.class_weights.class7`", "class0"),
            (
                "training.class_weights={class1=-1}",
                3,
                "`training.class_weights.class1`",
                "at least 0",
            ),
            ("training.standardize_targets=true", 3, "`training.standardize_targets`", "numbers"),
            (
                "training.standardize_targets=true\nnetwork.output.activation='sigmoid'",
                0,
                "`training.standardize_targets`",
                "sigmoid",
            ),
            ("validation.split=1", 0, "`validation.split` is 1", "below 1"),
            ("validation={split=0.1, file='x'}", 0, "`validation.split`", "file"),
            ("early_stopping.metric='accuracy'", 0, "`early_stopping.metric`", "rmse"),
            ("early_stopping.metric='r2'", 3, "`early_stopping.metric`", "roc_auc"),
            ("early_stopping.min_delta=-1", 0, "`early_stopping.min_delta`", "at least 0"),
            ("checkpoint.keep=0", 0, "`checkpoint.keep` is 0", "at least 1"),
        ];
        for (text, class_count, start, part) in cases {
            let names = names(*class_count);
            let data = if *class_count == 0 { numbers(1) } else { classes(&names) };
            let config = RunConfig::from_toml(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let message = config.resolve(&data).expect_err(text).to_string();
            assert!(message.starts_with(start), "{text}: {message}");
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn what_depends_on_the_data_is_left_to_them() {
        for text in [
            "network.layers=[{units=2, weights=[[1, 2, 3], [4, 5, 6]]}]",
            "network.output={weights=[[1], [2]], biases=[3, 4]}",
            "network.output.activation='sigmoid'\nloss.kind='mean-squared'",
            "loss={kind='huber', delta=2}",
            "early_stopping.metric='r2'",
            "training.class_weights={ham=2}",
        ] {
            assert_eq!(RunConfig::from_toml(text).unwrap().check(), Ok(()), "{text}");
        }
        for text in ["network.activation='rellu'", "loss.delta=1", "training.class_weights={a=-1}"]
        {
            assert!(RunConfig::from_toml(text).unwrap().check().is_err(), "{text}");
        }
    }
}
