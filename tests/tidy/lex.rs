//! Just enough of Rust's grammar to tell code from comments and strings, and tests from what they test.

/// A text taken apart. Each part has the lines of the whole; what belongs to the other is blank.
#[derive(Default)]
pub(crate) struct Lexed {
    pub(crate) code: String,
    pub(crate) comments: String,
}

/// The code of a text without its strings, and its comments.
pub(crate) fn lex(text: &str) -> Lexed {
    let (mut lexed, mut rest) = (Lexed::default(), text);
    while !rest.is_empty() {
        let (kind, len) = first_token(rest);
        let (token, after) = rest.split_at(len);
        lexed.code.push_str(&shown(token, kind == Kind::Code));
        lexed.comments.push_str(&shown(token, kind == Kind::Comment));
        rest = after;
    }
    lexed
}

/// Code in two parts, again with the lines of the whole.
pub(crate) struct Parted {
    /// What runs in production.
    pub(crate) code: String,
    /// What stands under `#[cfg(test)]`.
    pub(crate) tests: String,
    /// Modules that are declared under `#[cfg(test)]` and lie in files of their own.
    pub(crate) test_modules: Vec<String>,
}

/// Parts code (without strings and comments) at its `#[cfg(test)]`.
pub(crate) fn part(code: &str) -> Parted {
    let mark = "#[cfg(test)]";
    let mut parted = Parted { code: String::new(), tests: String::new(), test_modules: Vec::new() };
    let mut rest = code;
    while let Some(start) = rest.find(mark) {
        let (before, item) = rest.split_at(start);
        let (item, after) = item.split_at(mark.len() + item_len(&item[mark.len()..]));
        let words: Vec<&str> = item.split_whitespace().collect();
        if let Some(name) = words.iter().position(|word| *word == "mod").and_then(|at| words.get(at + 1)) {
            parted.test_modules.extend(name.strip_suffix(';').map(str::to_owned));
        }
        parted.code.push_str(&(before.to_owned() + &shown(item, false)));
        parted.tests.push_str(&(shown(before, false) + item));
        rest = after;
    }
    parted.code.push_str(rest);
    parted.tests.push_str(&shown(rest, false));
    parted
}

/// Words, `::`, and every other sign by itself, each with its line from 1.
pub(crate) fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    for (line, text) in (1..).zip(code.lines()) {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
            let len = if rest.starts_with("::") { 2 } else { word.max(first.len_utf8()) };
            tokens.push((line, &rest[..len]));
            rest = rest[len..].trim_start();
        }
    }
    tokens
}

#[derive(PartialEq)]
enum Kind {
    Code,
    Comment,
    Text,
}

fn shown(token: &str, whole: bool) -> String {
    if whole { token.to_owned() } else { token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect() }
}

fn first_token(rest: &str) -> (Kind, usize) {
    let first = rest.chars().next().unwrap_or_default();
    let word = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
    let (prefix, after) = rest.split_at(word);
    let hashes = after.len() - after.trim_start_matches('#').len();
    let is_raw = matches!(prefix, "r" | "br" | "cr") && after[hashes..].starts_with('"');
    match first {
        '/' if rest.starts_with("//") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (Kind::Comment, block_comment_len(rest)),
        _ if is_raw => {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = word + hashes + 1;
            (Kind::Text, rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len()))
        }
        '"' => (Kind::Text, quoted_len(rest, '"')),
        '\'' if is_char(rest) => (Kind::Text, quoted_len(rest, '\'')),
        _ => (Kind::Code, word.max(first.len_utf8())),
    }
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// A character, not a lifetime.
fn is_char(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        if char == quote && !escaped {
            return at + 1;
        }
        escaped = char == '\\' && !escaped;
    }
    rest.len()
}

fn block_comment_len(rest: &str) -> usize {
    let mut depth = 0_u32;
    for (at, _) in rest.char_indices() {
        if rest[at..].starts_with("/*") {
            depth += 1;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            if depth == 0 {
                return at + 2;
            }
        }
    }
    rest.len()
}

/// Up to the `;` or the closing brace that ends the item.
fn item_len(item: &str) -> usize {
    let mut depth = 0_i32;
    for (at, char) in item.char_indices() {
        match char {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(char, '}' | ';') {
            return at + 1;
        }
    }
    item.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_no_code() {
        let text = "let a = \"x // \\\" y\"; // note 'q\nlet b: &'a str = r#\"f64 \" \"#; /* f64 /* in */ it */ c('\"', '\\'')";
        let lexed = lex(text);
        let words: String = lexed.code.split_whitespace().collect();
        assert_eq!(words, "leta=;letb:&'astr=;c(,)");
        assert_eq!(lexed.comments.trim_start().lines().next(), Some("// note 'q"));
        assert_eq!(lexed.code.lines().count(), 2);
    }

    #[test]
    fn what_stands_under_cfg_test_is_test_code() {
        let parted = part("fn a() {}\n#[cfg(test)]\nmod fixture;\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}");
        let words: String = parted.code.split_whitespace().collect();
        assert_eq!(words, "fna(){}fnc(){}");
        assert!(parted.tests.contains("fn b()") && !parted.tests.contains("fn c()"));
        assert_eq!(parted.test_modules, ["fixture"]);
        assert_eq!(tokens("a::b(c)\nd").last(), Some(&(2, "d")));
    }
}
