// SPDX-License-Identifier: Apache-2.0

/// How messages become JSON. Source: protobuf language guide, *JSON Mapping*.
public struct JSONEncodingOptions: Sendable {
    /// Whether fields have their names of the .proto file, `user_name`, and not JSON's, `userName`.
    public var preservesFieldNames = false
    /// Whether fields without presence are written also when they have their defaults, and empty lists and maps.
    public var writesDefaults = false
    /// Whether enums are written as numbers and not as names.
    public var writesEnumsAsNumbers = false
    /// The messages that an `Any` may hold, and the extensions that are written.
    public var types = TypeRegistry()

    /// The usual mapping.
    public init() {}
}

/// How JSON becomes messages. Source: protobuf language guide, *JSON Mapping*.
public struct JSONDecodingOptions: Sendable {
    /// Whether names that the message does not have, and unknown names of enum values, are skipped and not refused.
    public var ignoresUnknownFields = false
    /// How deep values may be nested.
    public var maximumDepth = 100
    /// The messages that an `Any` may hold, and the extensions that are read.
    public var types = TypeRegistry()

    /// The usual mapping.
    public init() {}
}
