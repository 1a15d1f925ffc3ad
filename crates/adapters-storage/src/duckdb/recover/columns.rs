//! Reading result columns without a panic: what DuckDB hands over is checked before it is believed.

use duckdb::arrow::array::{Array, BooleanArray, PrimitiveArray, StringArray, StructArray};
use duckdb::arrow::datatypes::ArrowPrimitiveType;
use duckdb::{Connection, Error};

/// Runs a query and hands over its result piece by piece, as DuckDB produces it.
///
/// # Errors
/// DuckDB's, also in the middle (a block that can't be read), and the visitor's.
pub(super) fn stream(
    conn: &Connection,
    sql: &str,
    mut visit: impl FnMut(StructArray) -> duckdb::Result<()>,
) -> duckdb::Result<()> {
    let mut statement = conn.prepare(sql)?;
    // The iterator of this result would panic on an error; stepping by hand returns it.
    drop(statement.stream_arrow([])?);
    while let Some(piece) = statement.step()? {
        visit(piece)?;
    }
    Ok(())
}

fn unexpected(piece: &StructArray, at: usize) -> Error {
    let found = piece.columns().get(at).map(|column| format!("{:?}", column.data_type()));
    Error::ToSqlConversionFailure(format!("column {at} is {found:?}").into())
}

pub(super) fn numbers<T: ArrowPrimitiveType>(
    piece: &StructArray,
    at: usize,
) -> duckdb::Result<&PrimitiveArray<T>> {
    let column = piece.columns().get(at).and_then(|column| column.as_any().downcast_ref());
    column.ok_or_else(|| unexpected(piece, at))
}

pub(super) fn texts(piece: &StructArray, at: usize) -> duckdb::Result<&StringArray> {
    let column = piece.columns().get(at).and_then(|column| column.as_any().downcast_ref());
    column.ok_or_else(|| unexpected(piece, at))
}

pub(super) fn flags(piece: &StructArray, at: usize) -> duckdb::Result<&BooleanArray> {
    let column = piece.columns().get(at).and_then(|column| column.as_any().downcast_ref());
    column.ok_or_else(|| unexpected(piece, at))
}

/// A text, or None where it is NULL.
pub(super) fn text_at(texts: &StringArray, at: usize) -> Option<&str> {
    texts.is_valid(at).then(|| texts.value(at))
}
