//! Gzip files as `gzip` reads them: members one after the other, and zeros after them, as tapes and block
//! devices leave. What else follows is an error that says where.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// First bytes of a member.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The decompressed bytes of all members.
pub(crate) struct Members<R: BufRead> {
    /// Taken while one member gives way to the next.
    member: Option<GzDecoder<Counted<R>>>,
}

impl<R: BufRead> Members<R> {
    /// `reader` stands at the first byte of the file.
    pub(crate) fn new(reader: R) -> Members<R> {
        Members { member: Some(GzDecoder::new(Counted { reader, position: 0 })) }
    }

    /// Goes on to the next member; says whether there is one.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(ended) = self.member.take() else { return Ok(false) };
        let mut reader = ended.into_inner();
        let end = reader.position;
        skip_zeros(&mut reader)?;
        // Of two bytes the first may be all that is left in the buffer: the decoder judges the second.
        match reader.fill_buf()?.first() {
            None => Ok(false),
            Some(first) if *first == MAGIC[0] => {
                self.member = Some(GzDecoder::new(reader));
                Ok(true)
            }
            Some(_) => Err(garbage(end, reader.position)),
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let start = member.get_ref().position;
            match member.read(bytes) {
                Ok(0) => {
                    if !self.advance()? {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let length = member.get_ref().position;
                    return Err(io::Error::new(
                        error.kind(),
                        format!("its gzip data are cut off at byte {length}: copy it again"),
                    ));
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    return Err(io::Error::new(
                        error.kind(),
                        format!("its gzip data are damaged near byte {start} ({error})"),
                    ));
                }
                read => return read,
            }
        }
        Ok(0)
    }
}

fn garbage(end: u64, at: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "its gzip data end at byte {end}, and at byte {at} follows something else: cut it off there, \
             or copy the file again"
        ),
    )
}

fn skip_zeros(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
        let is_over = zeros < buffer.len() || buffer.is_empty();
        reader.consume(zeros);
        if is_over {
            return Ok(());
        }
    }
}

/// A reader that knows how far it is.
struct Counted<R> {
    reader: R,
    position: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(bytes)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.position += count as u64;
        self.reader.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::{BufReader, Write};

    fn member(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// What is read of these bytes, through buffers of any size.
    fn read(bytes: &[u8]) -> Result<String, String> {
        let results = [1, 2, 7, 4096].map(|capacity| {
            let mut text = String::new();
            let mut members = Members::new(BufReader::with_capacity(capacity, bytes));
            members.read_to_string(&mut text).map(|_| text).map_err(|error| error.to_string())
        });
        assert!(results.iter().all(|result| result.is_ok() == results[3].is_ok()), "{results:?}");
        results[3].clone()
    }

    #[test]
    fn members_follow_one_another() {
        let bytes = [member("a\n"), member(""), member("b\n")].concat();
        assert_eq!(read(&bytes).unwrap(), "a\nb\n");
    }

    #[test]
    fn zeros_after_and_between_members_are_padding() {
        let (a, b, zeros) = (member("a"), member("b"), vec![0; 5000]);
        assert_eq!(read(&[a.clone(), zeros.clone()].concat()).unwrap(), "a");
        assert_eq!(read(&[a.clone(), vec![0]].concat()).unwrap(), "a");
        assert_eq!(read(&[a, zeros.clone(), b, zeros].concat()).unwrap(), "ab");
    }

    #[test]
    fn what_else_follows_is_named_by_its_place() {
        let a = member("a");
        let error = read(&[a.clone(), b"garbage".to_vec()].concat()).unwrap_err();
        assert!(error.contains(&format!("end at byte {0}, and at byte {0}", a.len())), "{error}");
        let error = read(&[a.clone(), vec![0; 10], b"x".to_vec()].concat()).unwrap_err();
        assert!(error.contains(&format!("at byte {} follows", a.len() + 10)), "{error}");
        let error = read(&[a.clone(), vec![MAGIC[0], 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat());
        assert!(error.unwrap_err().contains("damaged near byte"));
    }

    #[test]
    fn cut_off_members_are_errors() {
        let a = member("some text");
        for length in [a.len() - 1, a.len() - 8, a.len() - 9, 12, 5] {
            let error = read(&a[..length]).unwrap_err();
            assert!(error.contains("cut off"), "{length}: {error}");
        }
        let error = read(&[a.clone(), a[..15].to_vec()].concat()).unwrap_err();
        assert!(error.contains(&format!("cut off at byte {}", a.len() + 15)), "{error}");
    }
}
