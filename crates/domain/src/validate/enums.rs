//! Closed string enums: an unknown value is an error that lists the known ones.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserializer, de};

/// A string that isn't one of an enum's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a value of {enum_name}")]
pub struct UnknownVariant {
    /// The enum, as the API names it.
    pub enum_name: &'static str,
    /// The string.
    pub value: String,
}

/// Deserialises a string enum; an unknown value is serde's `unknown_variant` error, whose list of
/// expected values is the very slice `values`.
pub(crate) fn deserialize_enum<'de, T, D>(
    deserializer: D,
    name: &'static str,
    values: &'static [&'static str],
) -> Result<T, D::Error>
where
    T: FromStr<Err = UnknownVariant>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(EnumVisitor { name, values, result: PhantomData })
}

struct EnumVisitor<T> {
    name: &'static str,
    values: &'static [&'static str],
    result: PhantomData<T>,
}

impl<T: FromStr<Err = UnknownVariant>> de::Visitor<'_> for EnumVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string, one of the values of {}", self.name)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<T, E> {
        value.parse().map_err(|_| E::unknown_variant(value, self.values))
    }
}

/// Defines a closed enum whose variants are strings on the wire.
macro_rules! string_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($variant:ident = $wire:literal,)* }) => {
        $(#[$meta])*
        #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = concat!("`", $wire, "`.")] $variant,)*
        }

        impl $name {
            /// The enum's name in the API.
            pub const NAME: &'static str = stringify!($name);
            /// Every value, in the model's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// Every value as a string, in the same order.
            pub const VALUES: &'static [&'static str] = &[$($wire,)*];

            /// The value as it is on the wire.
            pub const fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$variant => $wire,)*
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::validate::UnknownVariant;

            fn from_str(value: &str) -> ::std::result::Result<Self, Self::Err> {
                match value {
                    $($wire => Ok(Self::$variant),)*
                    _ => Err($crate::validate::UnknownVariant {
                        enum_name: Self::NAME,
                        value: value.to_owned(),
                    }),
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::validate::deserialize_enum(deserializer, Self::NAME, Self::VALUES)
            }
        }
    };
}
pub(crate) use string_enum;

#[cfg(test)]
#[allow(unreachable_pub, reason = "the macro is for public enums")]
mod tests {
    use super::*;

    string_enum! {
        /// For the tests.
        pub enum Colour {
            Red = "RED",
            DarkBlue = "dark-blue",
        }
    }

    #[test]
    fn an_enum_is_its_strings() {
        assert_eq!(Colour::VALUES, ["RED", "dark-blue"]);
        assert_eq!(Colour::ALL, [Colour::Red, Colour::DarkBlue]);
        assert_eq!("dark-blue".parse(), Ok(Colour::DarkBlue));
        assert_eq!(Colour::DarkBlue.to_string(), "dark-blue");
        assert_eq!(serde_json::to_string(&Colour::Red).unwrap(), r#""RED""#);
        assert_eq!(serde_json::from_str::<Colour>(r#""RED""#).unwrap(), Colour::Red);
    }

    #[test]
    fn an_unknown_value_is_told_with_the_known_ones() {
        let error = "red".parse::<Colour>().unwrap_err();
        assert_eq!(error, UnknownVariant { enum_name: "Colour", value: "red".into() });
        let error = serde_json::from_str::<Colour>(r#""red""#).unwrap_err().to_string();
        assert!(error.starts_with("unknown variant `red`, expected `RED` or `dark-blue`"), "{error}");
        assert!(serde_json::from_str::<Colour>("1").is_err());
    }
}
