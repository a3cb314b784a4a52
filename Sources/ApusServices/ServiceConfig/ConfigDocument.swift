// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// JSON documents that people write: what is wrong with one is told with its line and column.
enum ConfigDocument {
    /// What `body` makes of the document.
    ///
    /// - Throws: INVALID_ARGUMENT with the document's name, line, column (of bytes) and what is wrong there.
    static func read<T>(
        _ document: [UInt8], name: String, maximumBytes: Int, _ body: (ConfigValue) throws(ConfigProblem) -> T
    ) throws(RPCError) -> T {
        guard document.count <= maximumBytes else {
            throw RPCError(.invalidArgument, "\(name): the document is larger than \(maximumBytes) bytes")
        }
        do {
            return try body(ConfigValue(json: try JSONReader.read(document), path: []))
        } catch let error as JSONError {
            throw refusal(name, document, error.offset, error.problem)
        } catch let problem as ConfigProblem {
            throw refusal(name, document, JSONReader.offset(of: problem.path, in: document) ?? 0, problem.text)
        } catch {
            throw RPCError(.invalidArgument, "\(name): \(error)")
        }
    }

    private static func refusal(_ name: String, _ bytes: [UInt8], _ offset: Int, _ text: String) -> RPCError {
        let before = bytes.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
        return RPCError(.invalidArgument, "\(name):\(line):\(column): \(text)")
    }
}
