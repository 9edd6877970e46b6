//! Lines and fields of a delimited text. A field in quotes may hold the delimiter, but no line end.

use std::borrow::Cow;

/// The lines that hold something, with their numbers from 1; comments (`#`) left out.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
}

/// The delimiter of a line: the most frequent of tab, semicolon and comma outside quotes, in that order where they are equal.
pub(crate) fn delimiter(line: &str) -> char {
    let count = |delimiter: char| unquoted_characters(line).filter(|&c| c == delimiter).count();
    let mut best = '\t';
    for other in [';', ','] {
        if count(other) > count(best) {
            best = other;
        }
    }
    if count(best) == 0 { ',' } else { best }
}

/// The characters that are in no quotes, whatever the delimiter is: all, where a quote is not closed.
fn unquoted_characters(line: &str) -> impl Iterator<Item = char> {
    // A quote opens at the start of a field.
    let (mut quote, mut start) = (None, true);
    let mut outside = Vec::new();
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if start && matches!(c, '"' | '\'') => quote = Some(c),
            None => {
                start = matches!(c, '\t' | ';' | ',') || start && c.is_whitespace();
                outside.push(c);
            }
        }
    }
    if quote.is_some() { line.chars().collect() } else { outside }.into_iter()
}

/// Calls `each` with the fields of a line, as they stand between the delimiters.
pub(crate) fn raw_fields<'a>(line: &'a str, delimiter: char, mut each: impl FnMut(&'a str)) {
    let bytes = line.as_bytes();
    if !bytes.contains(&b'"') && !bytes.contains(&b'\'') {
        match u8::try_from(delimiter) {
            // Cells are short: to look at each byte is faster than to search for the next delimiter.
            Ok(delimiter) if delimiter.is_ascii() => {
                let mut start = 0;
                for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == delimiter) {
                    each(line.get(start..at).unwrap_or(""));
                    start = at + 1;
                }
                each(line.get(start..).unwrap_or(""));
            }
            _ => line.split(delimiter).for_each(each),
        }
        return;
    }
    let (mut start, mut quote) = (0, None);
    let mut characters = line.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match quote {
            // Two of them stand for one.
            Some(open) if c == open && characters.next_if(|&(_, next)| next == open).is_none() => quote = None,
            None if matches!(c, '"' | '\'') && line.get(start..at).is_some_and(|before| before.trim().is_empty()) => {
                quote = Some(c);
            }
            None if c == delimiter => {
                each(line.get(start..at).unwrap_or(""));
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    each(line.get(start..).unwrap_or(""));
}

/// The fields of a line, without quotes and spaces around them.
pub(crate) fn fields(line: &str, delimiter: char) -> Vec<Cow<'_, str>> {
    let mut fields = Vec::new();
    raw_fields(line, delimiter, |field| fields.push(unquoted(field)));
    fields
}

/// A field without the quotes and spaces around it; `""` in it is `"`.
pub(crate) fn unquoted(field: &str) -> Cow<'_, str> {
    let field = field.trim();
    for quote in ['"', '\''] {
        let inner = field.strip_prefix(quote).and_then(|field| field.strip_suffix(quote));
        if let Some(inner) = inner {
            let doubled = [quote, quote].iter().collect::<String>();
            return if inner.contains(&doubled) { inner.replace(&doubled, &quote.to_string()).into() } else { inner.into() };
        }
    }
    field.into()
}

/// A field in quotes where it needs them.
pub(crate) fn quoted(field: &str, delimiter: char) -> String {
    let one_line = field.replace(['\n', '\r'], " ");
    // Another delimiter than the file's own would make readers guess.
    if one_line.contains([delimiter, ',', ';', '\t', '"', '\'', '#']) || one_line.trim() != one_line {
        return format!("\"{}\"", one_line.replace('"', "\"\""));
    }
    one_line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_quotes() {
        assert_eq!(fields(r#"a, "b, c" ,'d','e ''f''',"say ""x""","#, ','), ["a", "b, c", "d", "e 'f'", "say \"x\"", ""]);
        assert_eq!(fields("5' walk,x", ','), ["5' walk", "x"]);
        assert_eq!(fields(r#"""",",x"#, ','), ["\",", "x"]);
        for text in ["plain", "a,b", "say \"x\"", " led ", "5'", "# no comment"] {
            assert_eq!(fields(&format!("{},2", quoted(text, ',')), ',')[..], [text, "2"], "{text}");
        }
    }

    #[test]
    fn delimiters() {
        assert_eq!(
            (delimiter("a\tb,c\td"), delimiter("0,5;1,25;3"), delimiter("a,b"), delimiter("alone")),
            ('\t', ';', ',', ',')
        );
        // What is in quotes does not count; two of them stand for one, and an apostrophe is none.
        assert_eq!(delimiter(r#"time_s,"a;b","c ""d;"" e""#), ',');
        assert_eq!((delimiter("5' walk;6' walk"), delimiter(r#""a;b"#), delimiter("'a,b';2")), (';', ';', ';'));
        assert_eq!(lines("\u{feff}a\n\n# c\r\nb").map(|(n, l)| (n, l.trim())).collect::<Vec<_>>(), [(1, "a"), (4, "b")]);
    }
}
