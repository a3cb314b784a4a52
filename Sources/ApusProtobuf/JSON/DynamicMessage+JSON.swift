// SPDX-License-Identifier: Apache-2.0

public import ApusCore

extension DynamicMessage {
    /// The message as JSON.
    ///
    /// - Throws: INVALID_ARGUMENT for what JSON cannot say: an `Any` of unknown type, times out of range, a `Value`
    ///   without a kind.
    public func jsonString(_ options: JSONEncodingOptions = JSONEncodingOptions()) throws(RPCError) -> String {
        try jsonValue(options).text
    }

    /// The message that the JSON describes.
    ///
    /// - Throws: INVALID_ARGUMENT for text that is no JSON or not of such a message, with the place.
    public init(
        _ schema: MessageSchema, json: [UInt8], _ options: JSONDecodingOptions = JSONDecodingOptions()
    ) throws(RPCError) {
        let value: JSONValue
        do {
            value = try JSONParser.parse(json, maximumDepth: options.maximumDepth)
        } catch {
            throw error.error(in: schema)
        }
        try self.init(schema, value, options)
    }

    /// The message that the JSON describes.
    ///
    /// - Throws: INVALID_ARGUMENT for text that is no JSON or not of such a message, with the place.
    public init(
        _ schema: MessageSchema, json: String, _ options: JSONDecodingOptions = JSONDecodingOptions()
    ) throws(RPCError) {
        try self.init(schema, json: Array(json.utf8), options)
    }

    func jsonValue(_ options: JSONEncodingOptions) throws(RPCError) -> JSONValue {
        do {
            return try JSONWriter(options: options).value(self)
        } catch {
            throw error.error(in: schema)
        }
    }

    init(_ schema: MessageSchema, _ json: JSONValue, _ options: JSONDecodingOptions) throws(RPCError) {
        do {
            self = try JSONReader(options: options).message(schema, json)
        } catch {
            throw error.error(in: schema)
        }
    }
}

extension ProtobufMessage {
    /// The message as JSON.
    ///
    /// - Throws: INVALID_ARGUMENT for what JSON cannot say: an `Any` of unknown type, times out of range, a `Value`
    ///   without a kind.
    public func jsonString(_ options: JSONEncodingOptions = JSONEncodingOptions()) throws(RPCError) -> String {
        try DynamicMessage(self).jsonString(options)
    }

    /// The message that the JSON describes.
    ///
    /// - Throws: INVALID_ARGUMENT for text that is no JSON or not of such a message, with the place.
    public init(json: String, _ options: JSONDecodingOptions = JSONDecodingOptions()) throws(RPCError) {
        self = try DynamicMessage(Self.schema, json: json, options).message()
    }

    /// The message that the JSON describes.
    ///
    /// - Throws: INVALID_ARGUMENT for text that is no JSON or not of such a message, with the place.
    public init(json: [UInt8], _ options: JSONDecodingOptions = JSONDecodingOptions()) throws(RPCError) {
        self = try DynamicMessage(Self.schema, json: json, options).message()
    }
}

extension JSONFailure {
    func error(in schema: MessageSchema) -> RPCError {
        let place = ([schema.name] + path.reversed()).joined(separator: ".")
        return RPCError(.invalidArgument, "JSON of \(place): \(reason)")
    }
}
