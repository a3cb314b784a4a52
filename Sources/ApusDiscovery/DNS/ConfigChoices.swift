// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The choices among service configs in the texts of a name. Source: gRFC A2.
enum ConfigChoices {
    /// Who chooses.
    struct Client: Sendable {
        static let language = "swift"
        let hostName: String
        /// Drawn from `0..<100`: a choice for so many percent or fewer is not this client's.
        let percentile: Int
    }

    private static let attribute = Array("grpc_config=".utf8)
    private static let nothing = Array("{}".utf8)

    /// The service config that is meant for the client; an empty one when none is.
    static func document(_ texts: [[UInt8]], _ client: Client, _ name: String) -> Result<[UInt8], RPCError> {
        guard let text = texts.first(where: { $0.starts(with: attribute) }) else { return .success(nothing) }
        do {
            guard case .array(let choices) = try JSONReader.read(Array(text.dropFirst(attribute.count))) else {
                throw ConfigChoiceProblem("it is no list of choices")
            }
            // All of them are read, so that who is refused does not depend on who asks.
            let configs = try choices.enumerated().map { try config($1, at: $0, client) }
            return .success(configs.lazy.compactMap(\.self).first.map { Array($0.text.utf8) } ?? nothing)
        } catch let error as JSONError {
            return .failure(refusal(name, "1:\(attribute.count + error.offset + 1): \(error.problem)"))
        } catch {
            return .failure(refusal(name, "\(error)"))
        }
    }

    private static func refusal(_ name: String, _ reason: String) -> RPCError {
        RPCError(.invalidArgument, "\(name):\(reason)")
    }

    /// The choice's config; nil when it is not the client's.
    private static func config(_ choice: JSON, at index: Int, _ client: Client) throws(ConfigChoiceProblem) -> JSON? {
        guard case .object(let members) = choice else { throw problem(index, "is no object") }
        guard case .object = members["serviceConfig"] else {
            throw problem(index, "has no serviceConfig that is an object")
        }
        let isMine = [
            try names("clientLanguage", members, index).map { $0.contains(Client.language) },
            try names("clientHostname", members, index).map { $0.contains(client.hostName.lowercased()) },
            try percentage(members, index).map { client.percentile < $0 },
        ]
        return isMine.contains(false) ? nil : members["serviceConfig"]
    }

    /// In lower case; nil for a list that is missing or empty, which excludes nobody.
    private static func names(
        _ key: String, _ members: [String: JSON], _ index: Int
    ) throws(ConfigChoiceProblem) -> [String]? {
        guard let value = members[key], value != .null else { return nil }
        guard case .array(let elements) = value else { throw problem(index, "has a \(key) that is no list") }
        var names: [String] = []
        for element in elements {
            guard case .string(let name) = element else { throw problem(index, "has a \(key) with no string") }
            names.append(name.lowercased())
        }
        return names.isEmpty ? nil : names
    }

    private static func percentage(_ members: [String: JSON], _ index: Int) throws(ConfigChoiceProblem) -> Int? {
        guard let value = members["percentage"], value != .null else { return nil }
        guard case .number(let number) = value, let percent = Int(exactly: number), (0...100).contains(percent) else {
            throw problem(index, "has a percentage that is no whole number in 0...100")
        }
        return percent
    }

    private static func problem(_ index: Int, _ text: String) -> ConfigChoiceProblem {
        ConfigChoiceProblem("choice \(index) \(text)")
    }
}

/// What is wrong with a list of choices.
private struct ConfigChoiceProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = " \(description)" }
}
