// SPDX-License-Identifier: Apache-2.0

/// What the user asks of the generator: `protoc --apus_out=visibility=public,server=false:DIR`.
struct GeneratorOptions: Equatable {
    enum Visibility: String, CaseIterable {
        case `public`
        case `internal`
        case `package`

        /// What stands before a declaration.
        var prefix: String { self == .internal ? "" : rawValue + " " }
    }

    /// How the path of a .proto file becomes that of its Swift file.
    enum FileNaming: String, CaseIterable {
        /// `users/v1/users.proto` gives `users/v1/users.apus.swift`.
        case path
        /// `users/v1/users.proto` gives `users_v1_users.apus.swift`.
        case underscores
        /// `users/v1/users.proto` gives `users.apus.swift`.
        case base
    }

    var visibility = Visibility.internal
    var client = true
    var server = true
    var fileNaming = FileNaming.path
    /// The modules that generated files import.
    var imports = ["Apus"]
    /// The modules that have the code of other .proto files, by their path.
    private(set) var modules: [String: String] = [:]

    /// The modules of other files than these.
    func modules(besides files: [String]) -> [String: String] { modules.filter { !files.contains($0.key) } }

    /// - Parameter parameter: `name=value` pairs separated by commas.
    init(_ parameter: String = "") throws(GeneratorError) {
        for option in parameter.split(separator: ",") {
            let pair = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            try set(pair[0], pair.count == 2 ? pair[1] : "")
        }
    }

    private mutating func set(_ name: String, _ value: String) throws(GeneratorError) {
        if name.hasPrefix("M"), name.hasSuffix(".proto") {
            modules[String(name.dropFirst())] = try Self.modules(value).first
            return
        }
        switch name {
        case "visibility": visibility = try Self.choice(name, value)
        case "client": client = try Self.truth(name, value)
        case "server": server = try Self.truth(name, value)
        case "file_naming": fileNaming = try Self.choice(name, value)
        case "import": imports = try Self.modules(value)
        default:
            throw GeneratorError(
                "unknown option '\(name)': there are visibility, client, server, file_naming, import and M<path>")
        }
    }

    private static func choice<T: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ value: String
    ) throws(GeneratorError) -> T {
        if let choice = T(rawValue: value) { return choice }
        let choices = T.allCases.map(\.rawValue).joined(separator: ", ")
        throw GeneratorError("option \(name) cannot be '\(value)': it is one of \(choices)")
    }

    private static func truth(_ name: String, _ value: String) throws(GeneratorError) -> Bool {
        switch value {
        case "true": return true
        case "false": return false
        default: throw GeneratorError("option \(name) cannot be '\(value)': it is true or false")
        }
    }

    /// `Apus`, or several modules joined by `+`, or `none` inside the module that has the runtime.
    private static func modules(_ value: String) throws(GeneratorError) -> [String] {
        if value == "none" { return [] }
        let modules = value.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard modules.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } }) else {
            throw GeneratorError("option import cannot be '\(value)': it is module names joined by +, or none")
        }
        return modules
    }
}
