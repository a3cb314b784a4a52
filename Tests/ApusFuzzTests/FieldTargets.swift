// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire

/// Header fields, as a server and as a client read them. Metadata that could be read can be sent, and comes back.
@Sendable func fuzzFields(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    var request = RequestHead(limit: 16 << 10)
    var response = ResponseHead(limit: 16 << 10)
    let endsStream = input.byte() & 1 == 1
    while !input.rest.isEmpty {
        let name = input.take(Int(input.byte()))
        let value = input.take(Int(input.byte()))
        request.receive(name: name, value: value, noTables)
        response.receive(name: name, value: value, compressors: .standard)
    }
    _ = request.verdict()
    if let timeout = request.timeout { try require(timeout >= 0, "a negative timeout was read") }
    _ = response.receiveEnd(endStream: endsStream)
    try checkRoundTrip(request.metadata)
}

private func checkRoundTrip(_ metadata: Metadata) throws {
    // What HTTP/2 cannot carry, which only a fuzzer brings here, is refused or trimmed the first time.
    guard let sent = resent(metadata) else { return }
    let again = resent(sent)
    try require(again == sent, "\(sent) came back as \(again?.description ?? "nothing")")
}

/// What the other side gets; nil when it is refused.
private func resent(_ metadata: Metadata) -> Metadata? {
    var sink = FieldList()
    guard (try? MetadataEncoding.write(metadata, to: &sink)) != nil else { return nil }
    var back = Metadata()
    for (name, value) in sink.fields {
        name.withUnsafeBytes { name in
            value.withUnsafeBytes { MetadataEncoding.read(name: name, value: $0, into: &back) }
        }
    }
    return back
}

private struct FieldList: FieldSink {
    var fields: [([UInt8], [UInt8])] = []

    mutating func add(_ name: StaticString, _ value: StaticString) {
        name.withUTF8Buffer { name in value.withUTF8Buffer { fields.append((Array(name), Array($0))) } }
    }
    mutating func add(_ name: StaticString, _ value: some Collection<UInt8>) {
        name.withUTF8Buffer { fields.append((Array($0), Array(value))) }
    }
    mutating func add(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        fields.append((Array(name), Array(value)))
    }
}

/// `grpc-timeout`, `grpc-message` and `-bin` values: reading never fails in a bad way, and undoes writing.
@Sendable func fuzzTexts(_ bytes: UnsafeRawBufferPointer) throws {
    if let timeout = TimeoutEncoding.decode(bytes) {
        let again = TimeoutEncoding.encode(nanoseconds: timeout).withUnsafeBytes { TimeoutEncoding.decode($0) }
        try require(again.map { $0 >= timeout } ?? false, "a timeout of \(timeout) ns shrank to \(again ?? -1)")
    }
    let message = StatusMessageEncoding.decode(bytes)
    let again = StatusMessageEncoding.encode(message).withUnsafeBytes { StatusMessageEncoding.decode($0) }
    try require(again == message, "\(message.debugDescription) came back as \(again.debugDescription)")
    if let data = Base64.decode(bytes) {
        let again = Base64.encode(data).withUnsafeBytes { Base64.decode($0) }
        try require(again == data, "\(data) came back as \(again ?? [])")
    }
}
