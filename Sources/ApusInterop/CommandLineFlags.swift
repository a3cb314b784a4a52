// SPDX-License-Identifier: Apache-2.0

/// The flags of a command line, in the two spellings of gRPC's interop programs: `--name=value` and `--name value`.
package struct CommandLineFlags {
    private var values: [String: String] = [:]

    /// Reads the arguments behind the program's name.
    ///
    /// - Parameters:
    ///   - known: the names that may occur, without dashes. A flag given twice has its last value.
    ///   - switches: names of flags that are true without a value: they take the next argument only if it is one.
    ///   - refused: names of flags that ask for what is not there, with the reason; as false or as nothing they do not.
    /// - Throws: ``FlagError`` for an unknown or refused flag, a missing value and what is no flag.
    package init(
        _ arguments: [String], known: [String], switches: [String] = [], refused: [String: String] = [:]
    ) throws(FlagError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else { throw FlagError("'\(argument)' is no flag") }
            let pair = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(pair[0])
            let isSwitch = switches.contains(name) || refused[name] != nil
            guard isSwitch || known.contains(name) else {
                let names = (known + switches).map { "--" + $0 }.joined(separator: ", ")
                throw FlagError("unknown flag --\(name): there are \(names)")
            }
            guard let value = pair.count == 2 ? String(pair[1]) : Self.value(isSwitch, from: &rest) else {
                throw FlagError("--\(name) has no value")
            }
            if let reason = refused[name], !value.isEmpty, Self.truth(value) != false {
                throw FlagError("--\(name) is not supported: \(reason)")
            }
            values[name] = value
        }
    }

    private static func value(_ isSwitch: Bool, from rest: inout ArraySlice<String>) -> String? {
        if isSwitch, rest.first.map({ $0.isEmpty || truth($0) != nil }) != true { return "true" }
        return rest.popFirst()
    }

    /// The value of a flag; nil when it was not given, or given as nothing.
    package subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A whole number within a range.
    ///
    /// - Throws: ``FlagError`` for anything else.
    package func integer(_ name: String, default value: Int, in range: ClosedRange<Int>) throws(FlagError) -> Int {
        guard let text = self[name] else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw FlagError("--\(name) is \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }

    /// `true` or `false`, in the spellings of the other implementations' flags; false when the flag was not given.
    ///
    /// - Throws: ``FlagError`` for anything else.
    package func truth(_ name: String) throws(FlagError) -> Bool {
        guard let text = values[name] else { return false }
        guard let truth = Self.truth(text) else { throw FlagError("--\(name) is true or false, not '\(text)'") }
        return truth
    }

    private static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "t", "yes", "y", "1": true
        case "false", "f", "no", "n", "0": false
        default: nil
        }
    }
}

/// A command line that cannot be obeyed: one line that says why.
package struct FlagError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
