//! The words of a text as indices: each is hashed to one of some buckets.
//!
//! A word is a run of letters, digits and `_` (Unicode's alphanumeric characters), in lower case. Its bucket is the
//! crc32c of its UTF-8 bytes modulo the number of buckets. Runs of words are hashed as one, with a space between; a
//! run stands after the single word that it ends with. So a bag of them knows something of the order of words
//! (Joulin et al., "Bag of Tricks for Efficient Text Classification", 2016).

use crate::schema::Words;

/// The words of a text in lower case.
pub(crate) struct Text {
    /// One after the other with a space between.
    words: String,
    /// Where each begins and ends.
    places: Vec<(usize, usize)>,
}

impl Text {
    pub(crate) fn of(text: &str) -> Text {
        let mut found = Text { words: String::with_capacity(text.len()), places: Vec::new() };
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
            if word.is_empty() {
                continue;
            }
            if !found.words.is_empty() {
                found.words.push(' ');
            }
            let start = found.words.len();
            if word.is_ascii() {
                found.words.extend(word.chars().map(|c| c.to_ascii_lowercase()));
            } else {
                found.words += &word.to_lowercase();
            }
            found.places.push((start, found.words.len()));
        }
        found
    }

    /// How many words and runs of up to `ngrams` words there are.
    pub(crate) fn len(&self, ngrams: u32) -> usize {
        (0..ngrams as usize).map(|more| self.places.len().saturating_sub(more)).sum()
    }

    /// The buckets of its words and runs of words, in order.
    pub(crate) fn buckets(&self, words: Words) -> impl Iterator<Item = u32> + '_ {
        let runs = self.places.iter().enumerate().flat_map(move |(last, &(_, end))| {
            let longest = (words.ngrams as usize).min(last + 1);
            (0..longest).map(move |more| &self.words[self.places[last - more].0..end])
        });
        runs.map(move |run| crc32c::crc32c(run.as_bytes()) % words.buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(ngrams: u32) -> Words {
        Words { length: 10, buckets: 1000, ngrams }
    }

    fn bucket(run: &str) -> u32 {
        crc32c::crc32c(run.as_bytes()) % 1000
    }

    #[test]
    fn words_are_runs_of_letters_in_lower_case() {
        let text = Text::of("  Don't PANIC!\nÄPFEL_2 -- naïve");
        assert_eq!(text.words, "don t panic äpfel_2 naïve");
        let expected = ["don", "t", "panic", "äpfel_2", "naïve"].map(bucket);
        assert_eq!(Vec::from_iter(text.buckets(words(1))), expected);
        assert_eq!((text.len(1), text.len(2), text.len(9)), (5, 9, 15));
    }

    #[test]
    fn runs_stand_after_the_word_that_they_end_with() {
        let text = Text::of("a b c");
        let expected = ["a", "b", "a b", "c", "b c", "a b c"].map(bucket);
        assert_eq!(Vec::from_iter(text.buckets(words(3))), expected);
        assert_eq!(text.len(3), 6);
    }

    #[test]
    fn the_hash_is_the_known_one() {
        // The check value of CRC-32C (Castagnoli).
        let all = Words { length: 1, buckets: 1 << 24, ngrams: 1 };
        let found = Vec::from_iter(Text::of("123456789").buckets(all));
        assert_eq!(found, [0xe306_9283 % (1 << 24)]);
    }

    #[test]
    fn no_words_are_none() {
        let text = Text::of(" .,;");
        assert_eq!((text.len(2), text.buckets(words(2)).count()), (0, 0));
    }
}
