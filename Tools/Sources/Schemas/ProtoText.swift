// SPDX-License-Identifier: Apache-2.0

import Apus

/// Writes symbols as a .proto file would say them.
struct ProtoText {
    let schema: Schema
    private(set) var lines: [String] = []
    private var depth = 0

    init(_ schema: Schema) { self.schema = schema }

    /// The declaration of a symbol, line by line.
    static func lines(of place: Schema.Place, in schema: Schema) -> [String] {
        var text = ProtoText(schema)
        text.write(place)
        return text.lines
    }

    private mutating func write(_ place: Schema.Place) {
        comment(place.file, place.path)
        switch place.symbol {
        case .service(let service): write(service, place.file, place.path)
        case .method(let method, _): line(Self.signature(method) + Self.end(method))
        case .message(let message): write(message, named: place.name, place.file, place.path)
        case .enumeration(let value): write(value, place.file, place.path)
        }
    }

    /// `rpc Say(SayRequest) returns (stream SayReply)`, with full names.
    static func signature(_ method: ProtobufMethodDescriptorProto) -> String {
        func type(_ name: String?, isStream: Bool) -> String {
            (isStream ? "stream " : "") + (name ?? "").drop { $0 == "." }
        }
        let request = type(method.inputType, isStream: method.clientStreamingOrDefault)
        let response = type(method.outputType, isStream: method.serverStreamingOrDefault)
        return "rpc \(method.name ?? "")(\(request)) returns (\(response))"
    }

    private static func end(_ method: ProtobufMethodDescriptorProto) -> String {
        var options: [String] = []
        switch method.idempotency {
        case .noSideEffects: options.append("option idempotency_level = NO_SIDE_EFFECTS;")
        case .idempotent: options.append("option idempotency_level = IDEMPOTENT;")
        case .unknown: break
        }
        if method.options?.deprecated == true { options.append("option deprecated = true;") }
        return options.isEmpty ? ";" : " { \(options.joined(separator: " ")) }"
    }

    private mutating func write(_ service: ProtobufServiceDescriptorProto, _ file: String, _ path: [Int32]) {
        block("service \(service.name ?? "")") { text in
            for (index, method) in service.method.numbered {
                text.comment(file, path + [2, index])
                text.line(Self.signature(method) + Self.end(method))
            }
        }
    }

    private mutating func write(_ value: ProtobufEnumDescriptorProto, _ file: String, _ path: [Int32]) {
        block("enum \(value.name ?? "")") { text in
            if value.options?.allowAlias == true { text.line("option allow_alias = true;") }
            for (index, entry) in value.value.numbered {
                text.comment(file, path + [2, index])
                let mark = entry.options?.deprecated == true ? " [deprecated = true]" : ""
                text.line("\(entry.name ?? "") = \(entry.number ?? 0)\(mark);")
            }
            for range in value.reservedRange {
                text.reserved(range.start ?? 0, through: range.end ?? 0, last: Int32.max)
            }
            text.reserved(value.reservedName)
        }
    }

    private mutating func write(
        _ message: ProtobufDescriptorProto, named name: String, _ file: String, _ path: [Int32]
    ) {
        block("message \(message.name ?? "")") { text in
            text.nested(message, named: name, file, path)
            let writer = FieldText(message: message, name: name, isProto3: text.schema.isProto3(file))
            var written: Set<Int32> = []
            for (index, field) in message.field.numbered {
                guard let oneof = writer.oneof(of: field) else {
                    text.comment(file, path + [2, index])
                    text.line(writer.declaration(field))
                    continue
                }
                guard written.insert(oneof).inserted else { continue }
                text.oneof(oneof, of: message, writer, file, path)
            }
            // The end of a message's range is behind it, unlike that of an enum's.
            for range in message.reservedRange {
                text.reserved(range.start ?? 0, through: Self.last(range.end), last: 536_870_911)
            }
            text.reserved(message.reservedName)
            for range in message.extensionRange {
                text.line("extensions \(Self.range(range.start ?? 0, Self.last(range.end), last: 536_870_911));")
            }
        }
    }

    private mutating func nested(
        _ message: ProtobufDescriptorProto, named name: String, _ file: String, _ path: [Int32]
    ) {
        for (index, value) in message.enumType.numbered {
            comment(file, path + [4, index])
            write(value, file, path + [4, index])
        }
        for (index, nested) in message.nestedType.numbered where nested.options?.mapEntry != true {
            comment(file, path + [3, index])
            write(nested, named: "\(name).\(nested.name ?? "")", file, path + [3, index])
        }
    }

    private mutating func oneof(
        _ number: Int32, of message: ProtobufDescriptorProto, _ writer: FieldText, _ file: String, _ path: [Int32]
    ) {
        comment(file, path + [8, number])
        let name = message.oneofDecl.numbered.first { $0.index == number }?.element.name
        block("oneof \(name ?? "")") { text in
            for (index, field) in message.field.numbered where writer.oneof(of: field) == number {
                text.comment(file, path + [2, index])
                text.line(writer.declaration(field))
            }
        }
    }

    private mutating func reserved(_ first: Int32, through final: Int32, last: Int32) {
        line("reserved \(Self.range(first, final, last: last));")
    }

    private mutating func reserved(_ names: [String]) {
        guard !names.isEmpty else { return }
        line("reserved \(names.map { "\"\($0)\"" }.joined(separator: ", "));")
    }

    // A server may say anything.
    private static func last(_ end: Int32?) -> Int32 { (end ?? 1).subtractingReportingOverflow(1).partialValue }

    private static func range(_ first: Int32, _ final: Int32, last: Int32) -> String {
        if first == final { return "\(first)" }
        return "\(first) to \(final >= last ? "max" : "\(final)")"
    }

    private mutating func block(_ head: String, _ body: (inout ProtoText) -> Void) {
        let start = lines.count
        line(head + " {")
        depth += 1
        body(&self)
        depth -= 1
        if lines.count == start + 1 { lines[start] += "}" } else { line("}") }
    }

    private mutating func comment(_ file: String, _ path: [Int32]) {
        guard let text = schema.comment(in: file, at: path) else { return }
        var rows = text.split(separator: "\n", omittingEmptySubsequences: false)
        while rows.last?.allSatisfy(\.isWhitespace) == true { rows.removeLast() }
        for row in rows { line("//" + row) }
    }

    private mutating func line(_ text: String) { lines.append(String(repeating: "  ", count: depth) + text) }
}

extension Schema {
    /// A symbol as a .proto file would declare it.
    public func protoText(of place: Place) -> String {
        ProtoText.lines(of: place, in: self).joined(separator: "\n")
    }

    /// The same, line by line. Names and comments are as whoever wrote them left them.
    public func protoLines(of place: Place) -> [String] { ProtoText.lines(of: place, in: self) }

    /// The methods of a service in one line each: `rpc Say(a.SayRequest) returns (a.SayReply)`.
    public func signatures(of service: String) -> [(name: String, signature: String)]? {
        guard case .service(let found)? = self[service]?.symbol else { return nil }
        return found.method.map { ($0.name ?? "", ProtoText.signature($0)) }
    }
}
