//! What a column holds, and what comes out of it again. The same four forms for every database: a row that is read
//! from one reads as that of another.

use super::StoreError;

/// What a column is for. Decides its type where a database has one for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Uuid,
    Decimal,
    /// Naive UTC with six decimals.
    Moment,
    Json,
    /// 0 or 1.
    Flag,
    Number,
    Bytes,
}

/// What one column takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row's, in the order of its columns.
pub(super) type Values = Vec<Value>;

/// A row that was read, taken column by column.
pub(super) struct Row(std::vec::IntoIter<Value>);

impl From<Values> for Row {
    fn from(values: Values) -> Self {
        Self(values.into_iter())
    }
}

impl Row {
    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("a text", other.as_ref())),
        }
    }
    pub(super) fn maybe_number(&mut self) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("a number", other.as_ref())),
        }
    }
    pub(super) fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("bytes", other.as_ref())),
        }
    }
    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.maybe_text()?.ok_or_else(|| unexpected("a text", Some(&Value::Null)))
    }
    pub(super) fn number(&mut self) -> Result<i64, StoreError> {
        self.maybe_number()?.ok_or_else(|| unexpected("a number", Some(&Value::Null)))
    }
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        self.maybe_bytes()?.ok_or_else(|| unexpected("bytes", Some(&Value::Null)))
    }
    /// A number that is not negative: a count, a record's number.
    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.number()?.unsigned_abs())
    }
    pub(super) fn small(&mut self) -> Result<u8, StoreError> {
        Ok(u8::try_from(self.number()?).unwrap_or(u8::MAX))
    }
    pub(super) fn maybe_small(&mut self) -> Result<Option<u8>, StoreError> {
        Ok(self.maybe_number()?.map(|number| u8::try_from(number).unwrap_or(u8::MAX)))
    }
    pub(super) fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.number()? != 0)
    }
    pub(super) fn maybe_flag(&mut self) -> Result<Option<bool>, StoreError> {
        Ok(self.maybe_number()?.map(|number| number != 0))
    }
    /// A moment as the API shows it: `2022-01-01T03:00:05.000000Z`.
    pub(super) fn zulu(&mut self) -> Result<String, StoreError> {
        self.text().map(|stored| zulu(&stored))
    }
    pub(super) fn maybe_zulu(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.maybe_text()?.map(|stored| zulu(&stored)))
    }
}

fn zulu(stored: &str) -> String {
    let mut text = stored.replacen(' ', "T", 1);
    text.push('Z');
    text
}

fn unexpected(due: &str, found: Option<&Value>) -> StoreError {
    let found = match found {
        None => "no column",
        Some(Value::Null) => "nothing",
        Some(Value::Number(_)) => "a number",
        Some(Value::Text(_)) => "a text",
        Some(Value::Bytes(_)) => "bytes",
    };
    StoreError::unavailable(format!("a row in the store has {found} where {due} is due"), "restore a backup")
}

impl Value {
    pub(super) fn number(self) -> Option<i64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }
    pub(super) fn text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
    pub(super) fn bytes(self) -> Option<Vec<u8>> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}
