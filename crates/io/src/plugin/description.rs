//! What a plugin says of itself: the JSON of `describe`, checked. `docs/plugin-protocol.md` specifies it.

use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The version of the protocol spoken here.
pub const PROTOCOL: u64 = 1;

/// What a plugin is and can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What the format is called, first as the program is.
    pub names: Vec<String>,
    /// What it is, in a line.
    pub description: String,
    /// Endings of file names, lower case, without the first dot.
    pub extensions: Vec<String>,
    /// What files begin with: any of these.
    pub magic: Vec<Magic>,
    /// What it can be asked to do.
    pub operations: Vec<Operation>,
    /// What it can be told.
    pub options: Vec<OptionSpec>,
}

impl Description {
    /// Whether it does this.
    pub fn can(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }
}

/// Something that a plugin does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Gives the table in a file.
    Read,
    /// Makes a file of a table.
    Write,
    /// Gives the model in a file.
    ModelRead,
    /// Makes a file of a model.
    ModelWrite,
}

impl Operation {
    /// As in a description, and on the command line of a plugin.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Read => "read",
            Operation::Write => "write",
            Operation::ModelRead => "model-read",
            Operation::ModelWrite => "model-write",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Bytes that files begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Magic(Vec<Option<u8>>);

impl Magic {
    /// Two hexadecimal digits for each byte, or `??` for any.
    fn parse(text: &str) -> Option<Magic> {
        let byte = |pair: &[u8; 2]| match pair {
            b"??" => Some(None),
            digits if digits.iter().all(u8::is_ascii_hexdigit) => {
                let digits = std::str::from_utf8(digits).ok()?;
                u8::from_str_radix(digits, 16).ok().map(Some)
            }
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes = pairs.iter().map(byte).collect::<Option<Vec<_>>>()?;
        let says_something = bytes.iter().any(Option::is_some) && bytes.len() <= 256;
        (rest.is_empty() && says_something).then_some(Magic(bytes))
    }

    /// Whether a file that begins with `head` has it.
    pub fn matches(&self, head: &[u8]) -> bool {
        let is_equal = |(magic, byte): (&Option<u8>, &u8)| magic.is_none_or(|magic| magic == *byte);
        head.len() >= self.0.len() && self.0.iter().zip(head).all(is_equal)
    }
}

/// Something that a plugin can be told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    /// As in `--option name=value`.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: OptionKind,
    /// What it is for, in a line.
    pub help: String,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// For what it is; empty for everything.
    #[serde(default)]
    pub operations: Vec<Operation>,
}

impl OptionSpec {
    fn is_for(&self, operation: Operation) -> bool {
        self.operations.is_empty() || self.operations.contains(&operation)
    }
}

/// What the values of an option are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptionKind {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A finite number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl OptionKind {
    /// As in a description.
    pub fn name(self) -> &'static str {
        match self {
            OptionKind::String => "string",
            OptionKind::Integer => "integer",
            OptionKind::Number => "number",
            OptionKind::Boolean => "boolean",
        }
    }

    fn accepts(self, value: &str) -> bool {
        match self {
            OptionKind::String => true,
            OptionKind::Integer => value.parse::<i64>().is_ok(),
            OptionKind::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            OptionKind::Boolean => matches!(value, "true" | "false"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "protocol")]
    _protocol: u64,
    names: Vec<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    extensions: Vec<String>,
    #[serde(default)]
    magic: Vec<String>,
    operations: Vec<Operation>,
    #[serde(default)]
    options: Vec<OptionSpec>,
}

impl Description {
    /// What a plugin called `name` wrote. The error says what is wrong with it.
    pub(super) fn parse(name: &str, text: &[u8]) -> Result<Description, String> {
        let json: Value = serde_json::from_slice(text)
            .map_err(|error| format!("its description is no JSON: {error}"))?;
        // Another version may have anything else in it.
        match json.get("protocol").and_then(Value::as_u64) {
            Some(PROTOCOL) => {}
            Some(other) => {
                return Err(format!(
                    "it speaks version {other} of the protocol, this program speaks version {PROTOCOL}: use a version of the one that fits the other"
                ));
            }
            None => return Err("its description has no whole number \"protocol\"".to_owned()),
        }
        let wire: Wire =
            serde_json::from_value(json).map_err(|error| format!("its description: {error}"))?;
        let refuse = |reason: String| Err(format!("its description: {reason}"));
        if wire.names.first().is_none_or(|first| first != name) {
            return refuse(format!(
                "\"names\" must begin with \"{name}\", as the program is called"
            ));
        }
        if let Some(wrong) = wire.names.iter().find(|name| !is_name(name)) {
            return refuse(format!("the name \"{wrong}\" {NAME_RULE}"));
        }
        if wire.operations.is_empty() {
            return refuse("\"operations\" is empty: it does nothing".to_owned());
        }
        let is_extension = |text: &String| {
            let is_ok = |c: char| c.is_alphanumeric() && !c.is_uppercase() || "._-+".contains(c);
            !text.is_empty() && !text.starts_with('.') && text.chars().all(is_ok)
        };
        if let Some(wrong) = wire.extensions.iter().find(|extension| !is_extension(extension)) {
            return refuse(format!(
                "the extension \"{wrong}\" is not lower case, or begins with a dot"
            ));
        }
        let mut magic = Vec::with_capacity(wire.magic.len());
        for text in &wire.magic {
            match Magic::parse(text) {
                Some(parsed) => magic.push(parsed),
                None => {
                    return refuse(format!(
                        "the magic \"{text}\" is not two hexadecimal digits for each byte, or ?? for any"
                    ));
                }
            }
        }
        for (index, option) in wire.options.iter().enumerate() {
            if !is_name(&option.name) {
                return refuse(format!("the option \"{}\" {NAME_RULE}", option.name));
            }
            if wire.options[..index].iter().any(|other| other.name == option.name) {
                return refuse(format!("it has the option \"{}\" twice", option.name));
            }
        }
        Ok(Description {
            description: match wire.description.is_empty() {
                true => wire.names[0].clone(),
                false => wire.description.replace(char::is_control, " "),
            },
            names: wire.names,
            extensions: wire.extensions,
            magic,
            operations: wire.operations,
            options: wire.options,
        })
    }

    /// Whether it has an option of this name for `operation`.
    #[cfg(feature = "arrow")]
    pub(super) fn takes(&self, operation: Operation, name: &str) -> bool {
        self.options.iter().any(|option| option.name == name && option.is_for(operation))
    }

    /// Why `given` cannot be told a plugin that is to do `operation`; `None` if they can.
    pub(super) fn refuses(
        &self,
        operation: Operation,
        given: &[(String, String)],
    ) -> Option<String> {
        let options = self.options.iter().filter(|option| option.is_for(operation));
        let options: Vec<&OptionSpec> = options.collect();
        let name = &self.names[0];
        for (key, value) in given {
            let Some(option) = options.iter().find(|option| option.name == *key) else {
                let known: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
                let known = match known.is_empty() {
                    true => "it has none".to_owned(),
                    false => format!("it has {}", known.join(", ")),
                };
                return Some(format!("{name} has no option \"{key}\" for {operation}; {known}"));
            };
            if !option.kind.accepts(value) {
                let kind = option.kind.name();
                return Some(format!(
                    "the option {key} of {name} takes a value of type {kind}, not \"{value}\""
                ));
            }
        }
        let is_given = |option: &OptionSpec| given.iter().any(|(key, _)| *key == option.name);
        let missing = options.iter().find(|option| option.required && !is_given(option))?;
        let OptionSpec { name: option, help, .. } = missing;
        Some(format!("{name} needs --option {option}=...: {help}"))
    }
}

const NAME_RULE: &str = "is not made of a to z, 0 to 9, - and _";

/// Whether a text can be the name of a format or an option.
pub(super) fn is_name(text: &str) -> bool {
    let is_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(is_ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Description, String> {
        Description::parse("x", text.as_bytes())
    }

    #[test]
    fn every_rule_is_checked() {
        for (text, part) in [
            ("hello", "no JSON"),
            ("{}", "no whole number \"protocol\""),
            (r#"{"protocol": "1"}"#, "no whole number \"protocol\""),
            (r#"{"protocol": 7, "anything": 1}"#, "speaks version 7 of the protocol"),
            (r#"{"protocol": 1}"#, "missing field `names`"),
            (r#"{"protocol": 1, "names": []}"#, "missing field `operations`"),
            (r#"{"protocol": 1, "names": [], "operations": ["read"]}"#, "begin with \"x\""),
            (r#"{"protocol": 1, "names": ["y"], "operations": ["read"]}"#, "begin with \"x\""),
            (r#"{"protocol": 1, "names": ["x", "Y"], "operations": ["read"]}"#, "name \"Y\""),
            (r#"{"protocol": 1, "names": ["x"], "operations": []}"#, "does nothing"),
            (r#"{"protocol": 1, "names": ["x"], "operations": ["eat"]}"#, "`eat`"),
            (r#"{"protocol": 1, "names": ["x"], "operations": ["read"], "extras": 1}"#, "`extras`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        for (field, part) in [
            (r#""extensions": [".x"]"#, "extension \".x\""),
            (r#""extensions": ["X"]"#, "extension \"X\""),
            (r#""magic": ["5"]"#, "magic \"5\""),
            (r#""magic": ["??"]"#, "magic \"??\""),
            (r#""magic": ["+1"]"#, "magic \"+1\""),
            (r#""options": [{"name": "A", "type": "string", "help": ""}]"#, "option \"A\""),
            (r#""options": [{"name": "a", "type": "date", "help": ""}]"#, "`date`"),
            (
                r#""options": [{"name": "a", "type": "string", "help": ""},
                    {"name": "a", "type": "string", "help": ""}]"#,
                "option \"a\" twice",
            ),
        ] {
            let text =
                format!(r#"{{"protocol": 1, "names": ["x"], "operations": ["read"], {field}}}"#);
            let error = parse(&text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn magic_may_have_holes() {
        let magic = Magic::parse("5249??46").unwrap();
        assert!(magic.matches(b"RIFFx") && magic.matches(b"RIxF"));
        assert!(!magic.matches(b"RIF") && !magic.matches(b"RIFE"));
    }

    #[test]
    fn options_are_typed() {
        let description = parse(
            r#"{"protocol": 1, "names": ["x"], "operations": ["read", "write"], "options": [
                {"name": "table", "type": "string", "help": "which table", "required": true},
                {"name": "rows", "type": "integer", "help": "", "operations": ["read"]},
                {"name": "scale", "type": "number", "help": ""},
                {"name": "fast", "type": "boolean", "help": ""}]}"#,
        );
        let description = description.unwrap();
        let refuses = |operation, given: &[(&str, &str)]| {
            let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            description.refuses(operation, &given.collect::<Vec<_>>()).unwrap_or_default()
        };
        let good = [("table", "a b"), ("scale", "1e3"), ("fast", "true")];
        assert_eq!(refuses(Operation::Write, &good), "");
        assert_eq!(refuses(Operation::Read, &[good[0], ("rows", "-3")]), "");
        for (given, part) in [
            (("rows", "1.5"), "rows of x takes a value of type integer, not \"1.5\""),
            (("scale", "inf"), "type number"),
            (("fast", "yes"), "type boolean"),
            (("tables", "a"), "no option \"tables\" for read; it has table, rows, scale, fast"),
        ] {
            let reason = refuses(Operation::Read, &[good[0], given]);
            assert!(reason.contains(part), "{reason}");
        }
        assert!(
            refuses(Operation::Write, &[good[0], ("rows", "1")]).contains("no option \"rows\"")
        );
        assert_eq!(refuses(Operation::Read, &[]), "x needs --option table=...: which table");
    }
}
