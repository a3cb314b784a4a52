// SPDX-License-Identifier: Apache-2.0

/// The flags of a command line, in the two spellings of gRPC's interop programs: `--name=value` and `--name value`.
package struct CommandLineFlags {
    private var values: [String: String] = [:]

    /// Reads the arguments behind the program's name.
    ///
    /// - Parameter known: the names that may occur, without dashes. A flag given twice has its last value.
    /// - Throws: ``FlagError`` for an unknown flag, a missing value and what is no flag.
    package init(_ arguments: [String], known: [String]) throws(FlagError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else { throw FlagError("'\(argument)' is no flag") }
            let pair = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(pair[0])
            guard known.contains(name) else {
                throw FlagError("unknown flag --\(name): there are \(known.map { "--" + $0 }.joined(separator: ", "))")
            }
            guard let value = pair.count == 2 ? String(pair[1]) : rest.popFirst() else {
                throw FlagError("--\(name) has no value")
            }
            values[name] = value
        }
    }

    /// The value of a flag; nil when it was not given.
    package subscript(name: String) -> String? { values[name] }

    /// A whole number within a range.
    ///
    /// - Throws: ``FlagError`` for anything else.
    package func integer(_ name: String, default value: Int, in range: ClosedRange<Int>) throws(FlagError) -> Int {
        guard let text = values[name] else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw FlagError("--\(name) is \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }

    /// `true` or `false`; false when the flag was not given.
    ///
    /// - Throws: ``FlagError`` for anything else.
    package func truth(_ name: String) throws(FlagError) -> Bool {
        switch values[name] {
        case nil, "false": return false
        case "true": return true
        case let text?: throw FlagError("--\(name) is true or false, not '\(text)'")
        }
    }
}

/// A command line that cannot be obeyed: one line that says why.
package struct FlagError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
