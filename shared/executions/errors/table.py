"""The classes of errors, as data. The first row whose signs fit is what an error is.

The order is the contract's (nodes §8): how n8n ended the run, timeouts, HTTP and connection errors,
validation, the node, and what is left. Codes are stable: programs decide by them. Everything else may be
reworded; :mod:`shared.executions.errors.page` writes ``docs/errors.md`` from it.
"""

from __future__ import annotations

import re

from shared.executions.errors.kinds import Action, ErrorClass, ErrorType, Signs

_ANY_STATUS = range(100, 600)


def _text(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?i){pattern}")


_ENDED = (
    ErrorClass(
        "OUT_OF_MEMORY",
        ErrorType.NODE_FAILURE,
        "The workflow needed more memory than n8n has.",
        "Handle fewer or smaller items at once: split the work into batches, or into sub-workflows.",
        Action.FIX_WORKFLOW,
        signs=Signs(text=_text(r"out[ -]of[ -]memory|heap limit|allocation failed|ENOMEM")),
    ),
    ErrorClass(
        "RUN_TIMED_OUT",
        ErrorType.TIMEOUT,
        "The workflow ran longer than n8n lets it.",
        "Make it shorter, or raise the timeout in the workflow's settings.",
        Action.FIX_WORKFLOW,
        signs=Signs(
            names=frozenset({"TimeoutExecutionCancelledError"}),
            text=_text(r"cancell?ed because it timed out|(?:the )?(?:workflow )?execution timed out"),
        ),
    ),
    ErrorClass(
        "N8N_STOPPED",
        ErrorType.UNKNOWN,
        "n8n stopped while the workflow was running.",
        "Start the run again; parts of it may have been done already.",
        Action.RETRY,
        retryable=True,
        signs=Signs(
            names=frozenset({"WorkflowCrashedError", "SystemShutdownExecutionCancelledError"}),
            text=_text(r"system is shutting down"),
            ended="crashed",
        ),
    ),
    ErrorClass(
        "RUN_CANCELLED",
        ErrorType.UNKNOWN,
        "Somebody stopped the run in n8n.",
        "Start it again if it was stopped by mistake.",
        Action.RETRY,
        signs=Signs(
            names=frozenset({"ManualExecutionCancelledError", "ExecutionCancelledError"}),
            text=_text(r"execution was cancell?ed(?: manually)?(?!.*(?:timed out|shutting down))"),
            ended="canceled",
        ),
    ),
)

_TIMEOUTS = (
    ErrorClass(
        "SERVICE_TIMED_OUT",
        ErrorType.TIMEOUT,
        "A service did not answer in time.",
        "Start the run again; if it happens often, give the node a longer timeout or let it retry.",
        Action.RETRY,
        retryable=True,
        signs=Signs(text=_text(r"\btime[sd]?[ -]?out\b|ETIMEDOUT|ESOCKETTIMEDOUT")),
    ),
)

_SERVICES = (
    ErrorClass(
        "RUN_NOT_REGISTERED",
        ErrorType.EXTERNAL_API_ERROR,
        "The workflow started in n8n, and the platform did not take its run.",
        "See that the process instance is active, then rerun its deployment.",
        Action.RERUN_DEPLOYMENT,
        signs=Signs(text=_text(r"Codika execution initialization failed")),
    ),
    ErrorClass(
        "SERVICE_QUOTA_EXHAUSTED",
        ErrorType.EXTERNAL_API_ERROR,
        "The account at a service has no quota or credit left.",
        "Add credit to the account of this service, or connect another account.",
        Action.CHECK_SERVICE_ACCOUNT,
        signs=Signs(
            text=_text(r"insufficient_quota|exceeded your current quota|credit balance is too low"),
            statuses=(402,),
        ),
    ),
    ErrorClass(
        "SERVICE_RATE_LIMITED",
        ErrorType.EXTERNAL_API_ERROR,
        "A service gets more requests than it takes.",
        "Wait a little and start the run again; let the node retry, or send fewer requests at once.",
        Action.RETRY,
        retryable=True,
        signs=Signs(text=_text(r"too many requests|rate[ _-]?limit"), statuses=(429,)),
    ),
    ErrorClass(
        "CREDENTIAL_REJECTED",
        ErrorType.EXTERNAL_API_ERROR,
        "A service did not accept the credential: it is wrong, expired or revoked.",
        "Connect the integration of this service again, then start the run again.",
        Action.RECONNECT_INTEGRATION,
        signs=Signs(
            text=_text(r"invalid_grant|invalid_api_key|(?:incorrect|invalid) api key|authorization failed"),
            statuses=(401, 407),
        ),
    ),
    ErrorClass(
        "ACCESS_DENIED",
        ErrorType.EXTERNAL_API_ERROR,
        "A service knows the credential, but does not allow what the node does with it.",
        "Give the connected account the permission, or connect the integration with one that has it.",
        Action.RECONNECT_INTEGRATION,
        signs=Signs(statuses=(403,)),
    ),
    ErrorClass(
        "SERVICE_NOT_FOUND",
        ErrorType.EXTERNAL_API_ERROR,
        "What the node asked a service for does not exist.",
        "Check the ids and addresses that the node was given.",
        Action.FIX_INPUT,
        signs=Signs(statuses=(404, 410)),
    ),
    ErrorClass(
        "SERVICE_REFUSED",
        ErrorType.EXTERNAL_API_ERROR,
        "A service refused the request as it was made.",
        "Read the message, and correct what the node sends.",
        Action.FIX_INPUT,
        signs=Signs(statuses=range(400, 500)),
    ),
    ErrorClass(
        "SERVICE_FAILED",
        ErrorType.EXTERNAL_API_ERROR,
        "A service had an error of its own.",
        "Start the run again later.",
        Action.RETRY,
        retryable=True,
        signs=Signs(statuses=range(500, 600)),
    ),
    ErrorClass(
        "CERTIFICATE_INVALID",
        ErrorType.EXTERNAL_API_ERROR,
        "The certificate of a service is not valid.",
        "The service has to renew it; check that the address is right.",
        Action.CHECK_SERVICE_ACCOUNT,
        signs=Signs(
            text=_text(r"CERT_|self[- ]signed certificate|unable to verify the first certificate|ERR_TLS"),
            names=frozenset({"NodeSslError"}),
        ),
    ),
    ErrorClass(
        "HOST_NOT_FOUND",
        ErrorType.EXTERNAL_API_ERROR,
        "There is no server with the name that the node calls.",
        "Check the address in the node, or in the credential it uses.",
        Action.FIX_WORKFLOW,
        signs=Signs(text=_text(r"ENOTFOUND|EAI_AGAIN|incorrect host")),
    ),
    ErrorClass(
        "SERVICE_UNREACHABLE",
        ErrorType.EXTERNAL_API_ERROR,
        "A service could not be reached, or broke the connection off.",
        "Start the run again later; check the address if it never works.",
        Action.RETRY,
        retryable=True,
        signs=Signs(
            text=_text(
                r"ECONNREFUSED|ECONNRESET|ECONNABORTED|EHOSTUNREACH|EPIPE|socket hang up|network error"
                r"|refused the connection|connection (?:refused|reset|closed)"
            )
        ),
    ),
    ErrorClass(
        "SERVICE_ERROR",
        ErrorType.EXTERNAL_API_ERROR,
        "A call of a service failed.",
        "Read the message: it is the service's own.",
        Action.FIX_WORKFLOW,
        signs=Signs(names=frozenset({"NodeApiError", "AxiosError", "HttpError"}), statuses=_ANY_STATUS),
    ),
)

_INPUT = (
    ErrorClass(
        "JSON_INVALID",
        ErrorType.VALIDATION_ERROR,
        "A text that had to be JSON is not.",
        "Check what the node was given; quotes and line breaks inside texts have to be escaped.",
        Action.FIX_INPUT,
        signs=Signs(
            text=_text(
                r"not valid json|invalid json|needs to be valid json|unexpected (?:token|end of json)"
                r"|in JSON at"
            )
        ),
    ),
    ErrorClass(
        "VALIDATION_FAILED",
        ErrorType.VALIDATION_ERROR,
        "What the workflow was given does not have the form it needs.",
        "Correct the input that the message names.",
        Action.FIX_INPUT,
        signs=Signs(
            text=_text(r"\bvalidation\b|ValidationError|ZodError|\bnot valid\b|\binvalid input\b"),
            names=frozenset({"ValidationError", "ZodError"}),
        ),
    ),
)

_NODES = (
    ErrorClass(
        "CREDENTIAL_MISSING",
        ErrorType.NODE_FAILURE,
        "The credential that the node uses is not there.",
        "Connect the integration, then rerun the deployment.",
        Action.RECONNECT_INTEGRATION,
        signs=Signs(
            text=_text(r"credential with id .* (?:does not exist|not found)|not have any credentials set"),
            names=frozenset({"CredentialNotFoundError", "CredentialsNotFoundError"}),
        ),
    ),
    ErrorClass(
        "SUB_WORKFLOW_MISSING",
        ErrorType.NODE_FAILURE,
        "A sub-workflow is not there, is not published, or may not be called from this one.",
        "Rerun the deployment of this process instance.",
        Action.RERUN_DEPLOYMENT,
        signs=Signs(
            text=_text(
                r"workflow does not exist|could not find (?:the )?workflow|workflow is not active"
                r"|sub-?workflow .*(?:cannot be called|not found|no published version)"
            ),
            names=frozenset({"SubworkflowOperationError", "CliWorkflowOperationError"}),
        ),
    ),
    ErrorClass(
        "WORKFLOW_INVALID",
        ErrorType.NODE_FAILURE,
        "n8n cannot run the workflow as it is: a node is unknown, or a parameter is missing.",
        "Correct the workflow and deploy it again.",
        Action.FIX_WORKFLOW,
        signs=Signs(
            text=_text(r"workflow has issues|unrecognized node type|unknown node type"),
            names=frozenset(
                {"WorkflowConfigurationError", "WorkflowActivationError", "UnrecognizedNodeTypeError"}
            ),
        ),
    ),
    ErrorClass(
        "EXPRESSION_FAILED",
        ErrorType.NODE_FAILURE,
        "An expression of the workflow could not be evaluated.",
        "Check what the expression reads: a node that did not run, or a field that is not there.",
        Action.FIX_WORKFLOW,
        signs=Signs(
            names=frozenset({"ExpressionError", "ExpressionExtensionError"}),
            text=_text(r"referenced node|paired item|invalid expression"),
        ),
    ),
    ErrorClass(
        "CODE_FAILED",
        ErrorType.NODE_FAILURE,
        "Code of the workflow failed.",
        "Correct the code of the node that failed, and deploy again.",
        Action.FIX_WORKFLOW,
        signs=Signs(
            names=frozenset(
                {"WrappedExecutionError", "ExecutionError", "TypeError", "ReferenceError", "SyntaxError"}
            ),
            text=_text(r"\[line \d+"),
            node_types=frozenset({"n8n-nodes-base.code", "n8n-nodes-base.function"}),
        ),
    ),
    ErrorClass(
        "STOPPED_BY_WORKFLOW",
        ErrorType.NODE_FAILURE,
        "The workflow stopped itself with an error of its author's.",
        "Read the message: it is the author's own.",
        Action.FIX_INPUT,
        signs=Signs(node_types=frozenset({"n8n-nodes-base.stopAndError"})),
    ),
    ErrorClass(
        "NODE_FAILED",
        ErrorType.NODE_FAILURE,
        "A node failed.",
        "Read the message, and correct the node that failed.",
        Action.FIX_WORKFLOW,
        signs=Signs(node_known=True),
    ),
)

UNCLASSIFIED = ErrorClass(
    "UNCLASSIFIED",
    ErrorType.UNKNOWN,
    "The workflow failed in a way that says nothing about the cause.",
    "Look at the run in n8n.",
    Action.FIX_WORKFLOW,
)

_STATED = (
    ErrorClass(
        "REPORTED_TIMEOUT",
        ErrorType.TIMEOUT,
        "The workflow reported that something took too long.",
        "Start the run again.",
        Action.RETRY,
        retryable=True,
    ),
)

_OF_THE_PLATFORM = (
    ErrorClass(
        "CANCELLED",
        ErrorType.UNKNOWN,
        "Somebody cancelled the run.",
        "Start it again if it was cancelled by mistake.",
        Action.RETRY,
    ),
    ErrorClass(
        "NO_REPORT",
        ErrorType.TIMEOUT,
        "The workflow ended, or vanished, without reporting an outcome.",
        "Every path of the workflow must end in Submit Result or Report Error.",
        Action.FIX_WORKFLOW,
    ),
    ErrorClass(
        "N8N_UNREACHABLE",
        ErrorType.TIMEOUT,
        "n8n could not be reached for a day.",
        "Start the run again when n8n is back.",
        Action.RETRY,
        retryable=True,
    ),
    ErrorClass(
        "WEBHOOK_NOT_REGISTERED",
        ErrorType.NODE_FAILURE,
        "n8n does not know the webhook of the workflow: it is not published.",
        "Rerun the deployment of this process instance.",
        Action.RERUN_DEPLOYMENT,
    ),
    ErrorClass(
        "WEBHOOK_FORBIDDEN",
        ErrorType.NODE_FAILURE,
        "n8n refused the call of the workflow.",
        "Let the webhook use the organization's header-auth credential, and deploy again.",
        Action.FIX_WORKFLOW,
    ),
    ErrorClass(
        "PAYLOAD_TOO_LARGE",
        ErrorType.NODE_FAILURE,
        "n8n takes no payload of this size.",
        "Send less, or raise N8N_PAYLOAD_SIZE_MAX of this n8n; 32 MiB is enough for everything.",
        Action.FIX_INPUT,
    ),
    ErrorClass(
        "INSTANCE_INACTIVE",
        ErrorType.NODE_FAILURE,
        "The process instance was switched off before the run could be sent.",
        "Activate the process instance, then start the run again.",
        Action.ACTIVATE_INSTANCE,
        retryable=True,
    ),
    ErrorClass(
        "WORKFLOW_REMOVED",
        ErrorType.NODE_FAILURE,
        "A later deployment removed the workflow before the run could be sent to it.",
        "Use a workflow of the current version.",
        Action.FIX_INPUT,
    ),
    ErrorClass(
        "TRIGGER_FAILED",
        ErrorType.UNKNOWN,
        "The trigger of a workflow failed, so that no run was started.",
        "Read the message; reconnect the integration that the trigger listens to, or rerun the deployment.",
        Action.RERUN_DEPLOYMENT,
    ),
)

TABLE: tuple[ErrorClass, ...] = (
    *_ENDED,
    *_TIMEOUTS,
    *_SERVICES,
    *_INPUT,
    *_NODES,
    UNCLASSIFIED,
    *_STATED,
    *_OF_THE_PLATFORM,
)
"""Every class, in the order in which they are tried."""
