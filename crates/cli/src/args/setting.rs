//! A flag that gives an option of a run's configuration its value, and groups of such flags.

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches};
use gristmill_trainer::config::{Assignment, RunConfig, Value};
use std::marker::PhantomData;

/// A flag, all that is to be known about it, and what it does.
pub(crate) struct Setting {
    /// Its name, without the dashes.
    pub(crate) flag: &'static str,
    /// The key of the configuration that it gives a value.
    pub(crate) key: &'static str,
    /// What it does, for `--help`. The names that it takes and its default are added.
    pub(crate) help: &'static str,
    /// The names that it takes, if it takes names.
    pub(crate) names: &'static [&'static str],
    /// What its value is.
    pub(crate) takes: Takes,
    /// What the default is called; else it is that of an empty configuration.
    pub(crate) default: Option<fn() -> String>,
}

/// What the value of a flag is.
pub(crate) enum Takes {
    /// What this makes of its text, which help calls by this name.
    Text(&'static str, fn(&str) -> Result<Value, String>),
    /// This, since it is a switch.
    Switch(fn() -> Value),
}

impl Setting {
    fn arg(&self, heading: Option<&'static str>) -> Arg {
        let arg = Arg::new(self.flag).long(self.flag).help(self.help_text());
        let arg = match heading {
            Some(heading) => arg.help_heading(heading),
            None => arg,
        };
        match self.takes {
            Takes::Switch(_) => arg.action(ArgAction::SetTrue),
            Takes::Text(name, parse) => arg.value_name(name).value_parser(ValueParser::new(parse)),
        }
    }

    fn help_text(&self) -> String {
        let mut text = self.help.to_owned();
        if let Some((last, others)) = self.names.split_last() {
            text += &format!(": {} or {last}", others.join(", "));
        }
        let default = match (&self.takes, self.default) {
            (Takes::Switch(_), _) => None,
            (_, Some(default)) => Some(default()),
            (_, None) => RunConfig::default().complete_value(self.key),
        };
        match default {
            Some(default) => format!("{text} [default: {default}]"),
            None => text,
        }
    }

    /// What it was given, if it was.
    fn given(&self, matches: &ArgMatches) -> Option<Assignment> {
        match self.takes {
            Takes::Switch(value) => {
                let is_given = matches.get_flag(self.flag);
                is_given.then(|| Assignment::new(format!("--{}", self.flag), self.key, value()))
            }
            Takes::Text(..) => {
                let value = matches.get_one::<Value>(self.flag)?;
                let text = matches.get_raw(self.flag).into_iter().flatten().next();
                let text = text.unwrap_or_default().to_string_lossy();
                let given = format!("--{} {text}", self.flag);
                Some(Assignment::new(given, self.key, value.clone()))
            }
        }
    }
}

/// Some flags that commands have together.
pub(crate) trait Group {
    /// The name by which other arguments conflict with all of them.
    const NAME: &'static str;
    /// The heading in the help; none for those that are not under one.
    const HEADING: Option<&'static str>;
    /// The flags.
    const SETTINGS: &'static [Setting];
}

/// What the flags of a group were given.
pub(crate) struct Given<G> {
    pub(crate) assignments: Vec<Assignment>,
    group: PhantomData<G>,
}

impl<G: Group> Args for Given<G> {
    fn augment_args(command: Command) -> Command {
        let flags = G::SETTINGS.iter().map(|setting| setting.flag);
        let group = ArgGroup::new(G::NAME).multiple(true).args(flags);
        let args = G::SETTINGS.iter().map(|setting| setting.arg(G::HEADING));
        command.args(args).group(group)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<G: Group> FromArgMatches for Given<G> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Given<G>, clap::Error> {
        let given = G::SETTINGS.iter().filter_map(|setting| setting.given(matches));
        Ok(Given { assignments: given.collect(), group: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
