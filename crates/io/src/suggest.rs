//! "Did you mean": the known name that is nearest to one that nobody knows.

/// Whether two names are the same but for the case of their letters and for `_`, `-` and spaces.
pub fn alike(a: &str, b: &str) -> bool {
    plain(a) == plain(b)
}

/// The name among `known` that a user most likely meant by `given`, if one is near.
pub fn closest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = plain(given);
    if given.is_empty() {
        return None;
    }
    let distance = |name: &&'a str| {
        let name = plain(name);
        // The beginning of a name is near to it, however long the rest.
        let is_beginning = given.len() >= 3 && name.starts_with(&given);
        if is_beginning { 1 } else { strsim::damerau_levenshtein(&given, &name) }
    };
    let nearest = known.into_iter().map(|name| (distance(&name), name)).min_by_key(|n| n.0)?;
    // A third of the letters may be wrong, but not all of a short name.
    let letters = given.chars().count();
    (3 * nearest.0 <= letters.max(3) && nearest.0 < letters).then_some(nearest.1)
}

/// What to add to an error about an unknown name: `; did you mean "NAME"?`, or nothing.
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(given, known).map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_if_it_is_near() {
        let known = ["sepal_length", "sepal_width", "species"];
        for (given, meant) in [
            ("sepal_lenght", Some("sepal_length")),
            ("Sepal Width", Some("sepal_width")),
            ("specie", Some("species")),
            ("spe", Some("species")),
            ("kind", None),
            ("", None),
        ] {
            assert_eq!(closest(given, known), meant, "{given}");
        }
        assert_eq!(closest("x", ["y"]), None, "nothing of it is right");
        assert_eq!(did_you_mean("adamm", ["adam"]), "; did you mean \"adam\"?");
        assert_eq!(did_you_mean("target", ["x1"]), "");
    }

    #[test]
    fn case_and_separators_do_not_matter() {
        assert!(alike("One_Cycle", "one-cycle") && alike("AdamW", "adamw"));
        assert!(!alike("adam", "adamw"));
    }
}
