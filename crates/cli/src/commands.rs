//! The registry of commands: each is one file under `commands/` and one line here.

use crate::failure::Failure;
use crate::output::Output;

/// Declares the modules of the commands, and the enum of their arguments with its dispatch.
macro_rules! commands {
    ($($module:ident :: $command:ident),+ $(,)?) => {
        $(mod $module;)+

        /// What the program is to do, with its arguments.
        #[derive(clap::Subcommand)]
        pub(crate) enum Command {
            // Boxed, since some have many more arguments than others.
            $($command(Box<$module::$command>)),+
        }

        impl Command {
            /// Does it.
            pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
                match self {
                    $(Command::$command(command) => (*command).run(output)),+
                }
            }
        }
    };
}

commands! {
    import::Import,
    synth::Synth,
    head::Head,
    stats::Stats,
    split::Split,
    verify::Verify,
    train::Train,
    evaluate::Evaluate,
    predict::Predict,
    inspect::Inspect,
    describe::Describe,
    gradcheck::Gradcheck,
    export_data::ExportData,
    export::Export,
    import_model::ImportModel,
    formats::Formats,
}
