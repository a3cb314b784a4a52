// SPDX-License-Identifier: Apache-2.0

extension DynamicMessage: CustomStringConvertible {
    /// The message in text format, on several lines.
    ///
    /// - Parameter types: the messages that an `Any` may hold, and the extensions that are named.
    public func textFormat(_ types: TypeRegistry = TypeRegistry()) -> String {
        var writer = TextFormat(types)
        writer.write(self)
        return writer.text
    }

    /// The message in text format, on one line.
    public var description: String {
        var writer = TextFormat(isSingleLine: true)
        writer.write(self)
        return writer.text
    }
}

extension ProtobufMessage {
    /// The message in text format, on several lines: for people and logs. A message that cannot be encoded, because
    /// it is nested too deep, is said to be one.
    ///
    /// - Parameter types: the messages that an `Any` may hold, and the extensions that are named.
    public func textFormat(_ types: TypeRegistry = TypeRegistry()) -> String {
        (try? DynamicMessage(self))?.textFormat(types) ?? tooDeep
    }

    /// The message in text format, on one line.
    public var description: String { (try? DynamicMessage(self))?.description ?? tooDeep }

    private var tooDeep: String { "# a \(Self.schema.name) that is nested too deep" }

    /// The message in text format, on one line, also for messages with a field `description`.
    public func write<Target: TextOutputStream>(to target: inout Target) {
        target.write((try? DynamicMessage(self))?.description ?? tooDeep)
    }
}
