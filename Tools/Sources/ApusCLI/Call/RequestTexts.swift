// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The JSON of requests, one after the other: from the command line, a file, or the standard input as it comes.
actor RequestTexts {
    private var splitter = JSONSplitter()
    private var ready: ArraySlice<[UInt8]> = []
    private var hasEnded = false
    private let input: FileHandle?
    // Reading blocks: it has a thread of its own, and waits until it is asked for more.
    private let queue = DispatchQueue(label: "apus.requests")

    /// - Parameter argument: JSON, `@file`, `@-` or nil for the standard input. Nothing is read of a terminal unless
    ///   it is asked for: the request is then the empty message.
    /// - Throws: ``Mistake`` for a file that cannot be read.
    init(_ argument: String?) throws(Mistake) {
        switch argument {
        case nil where Screen.isTyped: try self.init(text: Array("{}".utf8), input: nil)
        case nil, "@-": try self.init(text: [], input: .standardInput)
        case let text? where text.hasPrefix("@"):
            guard let handle = FileHandle(forReadingAtPath: String(text.dropFirst())) else {
                throw Mistake("the file \(text.dropFirst()) cannot be read")
            }
            try self.init(text: [], input: handle)
        case let text?: try self.init(text: Array(text.utf8), input: nil)
        }
    }

    init(text: [UInt8], input: FileHandle?) throws(Mistake) {
        ready = ArraySlice(try splitter.add(text))
        self.input = input
        guard input == nil else { return }
        if let last = try splitter.finish() { ready.append(last) }
        hasEnded = true
    }

    /// The next message; nil after the last.
    func next() async throws -> [UInt8]? {
        while ready.isEmpty, !hasEnded { try await read() }
        return ready.popFirst()
    }

    /// The one message of a call that takes one: empty where nothing was written.
    ///
    /// - Throws: ``Mistake`` when there are several.
    func only() async throws -> [UInt8] {
        let first = try await next() ?? Array("{}".utf8)
        guard try await next() == nil else {
            throw Mistake("the method takes one message, and there are more; 'apus describe' tells what it takes")
        }
        return first
    }

    private func read() async throws {
        guard let input else { return hasEnded = true }
        let data: Data = try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try Self.piece(of: input) }) }
        }
        ready += try splitter.add(data)
        guard data.isEmpty else { return }
        if let last = try splitter.finish() { ready.append(last) }
        hasEnded = true
    }

    // What is there, also when it is less than a block: the next line may be typed much later.
    private static func piece(of handle: FileHandle) throws -> Data {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = Foundation.read(handle.fileDescriptor, &buffer, buffer.count)
        guard count >= 0 else { throw Mistake("the requests cannot be read: \(String(cString: strerror(errno)))") }
        return Data(buffer.prefix(count))
    }
}
