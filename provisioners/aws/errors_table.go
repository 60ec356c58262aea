package aws

import (
	"errors"
	"time"

	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// meaning is what an AWS error code means, in plain words. {action}, {account}, {region} and {role} are filled in.
type meaning struct {
	verdict verdict
	fresh   bool          // wait while the account or role is fresh, final after that
	delay   time.Duration // between looks while waiting; zero: the engine's table decides
	limit   time.Duration // how long at most, when longer than the usual limit
	what    string        // what happened
	while   string        // what is waited for
	owner   string        // who acts
	next    string        // what to do
}

const (
	platform  = "Platform team"
	byAWS     = "AWS"
	requester = "Requester"

	retryLater = "Retry in a while: the run goes on from this step."
	cureRetry  = "Cure the cause, then retry: the run goes on from this step."
)

var (
	noAnswer  = meaning{verdict: retry, what: "AWS did not answer.", owner: byAWS, next: "Look at the AWS Health Dashboard and at the network between Slipway and AWS. " + retryLater}
	brokenAWS = meaning{verdict: retry, what: "AWS reported an error of its own.", owner: byAWS, next: "Look at the AWS Health Dashboard. " + retryLater}
	throttled = meaning{verdict: retry, what: "AWS asks to slow down.", owner: platform, next: "Something else in account {account} calls AWS very often. " + retryLater}
	refused   = meaning{verdict: final, what: "AWS refused the call.", owner: platform, next: "Read AWS's answer. " + cureRetry}
	forbidden = meaning{fresh: true, what: "Slipway may not do {action} in account {account}.", owner: platform, while: "AWS to know the account's roles everywhere",
		next: "Allow {action} to {role} (see deploy/aws), look for a policy of the organization that denies it, then retry: the run goes on from this step."}
	notYet = meaning{fresh: true, what: "AWS has not switched on a service in account {account}.", owner: byAWS, while: "AWS to switch on its services in the new account",
		next: "Open the account in the AWS console; it may ask for a payment method or a verification. Then retry: the run goes on from this step."}
	stranger = meaning{fresh: true, what: "AWS does not know Slipway's credentials in account {account}.", owner: platform, while: "AWS to know the new account everywhere",
		next: "Check the credentials Slipway runs with and whether {region} is enabled in the account, then retry."}
	busy     = meaning{verdict: wait, what: "Another change of the organization is under way.", while: "another change of the organization", owner: platform, next: retryLater}
	young    = meaning{verdict: wait, delay: time.Minute, limit: 2 * time.Hour, what: "AWS is still setting the organization up.", while: "AWS to finish setting up the organization; that can take an hour", owner: byAWS, next: "Contact AWS Support if it takes more than a day, then retry."}
	full     = meaning{verdict: final, what: "A limit of AWS is reached.", owner: platform, next: "Ask AWS for a higher limit in Service Quotas, then retry: the run goes on from this step."}
	invalid  = meaning{verdict: final, what: "AWS did not accept what Slipway sent.", owner: platform, next: "Read AWS's answer. If the inputs are right, this is a mistake of Slipway: send the request id to its maintainers."}
	expired  = meaning{verdict: retry, what: "Slipway's session in account {account} ended during the call.", owner: platform, next: retryLater}
	unknown  = meaning{fresh: true, what: "AWS does not know account {account} in its organization.", while: "AWS to know the new account everywhere", owner: platform, next: "Look into AWS Organizations for the account, then retry: the run goes on from this step."}
	missing  = meaning{verdict: final, what: "Something that should be there is not in account {account}.", owner: platform, next: cureRetry}
	mismatch = meaning{verdict: final, what: "What is there is not as it should be.", owner: platform, next: cureRetry}
)

// codes is the one table of what AWS's error codes mean. A code that is not in it is final when it is a 4xx and tried again when it is a 5xx.
var codes = map[string]meaning{
	"Throttling": throttled, "ThrottlingException": throttled, "ThrottledException": throttled, "TooManyRequestsException": throttled,
	"RequestLimitExceeded": throttled, "RequestThrottled": throttled, "RequestThrottledException": throttled, "SlowDown": throttled,
	"PriorRequestNotComplete": throttled, "BandwidthLimitExceeded": throttled, "TransactionInProgressException": throttled,

	"InternalFailure": brokenAWS, "InternalError": brokenAWS, "InternalServerError": brokenAWS, "InternalServerException": brokenAWS, "InternalErrorException": brokenAWS,
	"ServiceException": brokenAWS, "ServiceUnavailable": brokenAWS, "ServiceUnavailableException": brokenAWS, "Unavailable": brokenAWS,
	"RequestTimeout": noAnswer, "RequestTimeoutException": noAnswer,

	"AccessDenied": forbidden, "AccessDeniedException": forbidden, "UnauthorizedOperation": forbidden, "AuthFailure": stranger,
	"AccessDeniedForDependencyException": forbidden,
	"OptInRequired":                      notYet, "SubscriptionRequiredException": notYet, "SubscriptionRequired": notYet, "NotSignedUp": notYet,
	"InvalidClientTokenId": stranger, "UnrecognizedClientException": stranger, "InvalidAccessKeyId": stranger, "RegionDisabledException": stranger,
	"ExpiredToken": expired, "ExpiredTokenException": expired, "RequestExpired": expired,
	"SignatureDoesNotMatch":     {verdict: final, what: "AWS does not accept Slipway's signature.", owner: platform, next: "Check the clock of the machine Slipway runs on, then retry."},
	"InvalidSignatureException": {verdict: final, what: "AWS does not accept Slipway's signature.", owner: platform, next: "Check the clock of the machine Slipway runs on, then retry."},
	"RequestTimeTooSkewed":      {verdict: final, what: "Slipway's clock differs too much from AWS's.", owner: platform, next: "Set the clock of the machine Slipway runs on, then retry."},

	"ConcurrentModificationException": busy, "ConcurrentModification": busy, "OperationInProgressException": busy, "EntityTemporarilyUnmodifiable": busy,
	"FinalizingOrganizationException": young,

	"ValidationError": invalid, "ValidationException": invalid, "InvalidInputException": invalid, "InvalidParameterException": invalid, "InvalidParameterValue": invalid,
	"InvalidParameterCombination": invalid, "MalformedPolicyDocument": invalid, "MissingParameter": invalid, "MalformedXML": invalid, "SerializationException": invalid,
	"UnknownOperationException": invalid, "InvalidAction": invalid, "PackedPolicyTooLarge": invalid,
	"InsufficientCapabilitiesException": invalid, "InsufficientCapabilities": invalid,

	"LimitExceeded": full, "LimitExceededException": full, "ConstraintViolationException": full, "QuotaExceededException": full, "CreationLimitExceededException": full,

	"NoSuchEntity": missing, "NotFoundException": missing, "ResourceNotFoundException": missing, "StackSetNotFoundException": missing, "ChangeSetNotFound": missing,
	"AccountNotFoundException": unknown, "ChildNotFoundException": unknown, "ParentNotFoundException": missing, "DestinationParentNotFoundException": missing,
	"SourceParentNotFoundException": missing, "OrganizationalUnitNotFoundException": missing, "TargetNotFoundException": missing,
	"AWSOrganizationsNotInUseException": {verdict: final, what: "The account Slipway asked is not in an organization.", owner: platform, next: "Check SLIPWAY_ORG_ROLE_ARN: it must name a role of the management account. Then retry."},

	"AlreadyExistsException": mismatch, "InvalidChangeSetStatus": mismatch, "DuplicateRecordException": mismatch, "PolicyTypeNotEnabledException": mismatch,
	"TokenAlreadyExistsException": mismatch,
}

// reasons is what Organizations' Reason member says more closely than its code.
var reasons = map[string]meaning{
	string(orgtypes.ConstraintViolationExceptionReasonAccountNumberLimitExceeded): {verdict: final, what: "The organization may not have any more accounts.", owner: platform,
		next: "Ask AWS for more accounts (Service Quotas, AWS Organizations, L-E619E033; closed accounts count for 90 days), then retry: the run goes on from this step."},
	string(orgtypes.ConstraintViolationExceptionReasonAccountCreationRateLimitExceeded): {verdict: wait, delay: time.Minute, limit: 24 * time.Hour,
		what: "Too many accounts were created in a short time.", while: "AWS to allow another account creation", owner: byAWS, next: "Contact AWS Support, then retry."},
	string(orgtypes.ConstraintViolationExceptionReasonEmailVerificationCodeExpired): {verdict: final, what: "The management account's e-mail address is not verified.", owner: platform,
		next: "Verify it in the AWS Organizations console, then retry."},
	string(orgtypes.ConstraintViolationExceptionReasonAccountCreationNotComplete): busy,
}

func reasonOf(err error) string {
	var c *orgtypes.ConstraintViolationException
	var i *orgtypes.InvalidInputException
	switch {
	case errors.As(err, &c):
		return string(c.Reason)
	case errors.As(err, &i):
		return string(i.Reason)
	}
	return ""
}

// creationFailures says what a FAILED CreateAccount means.
var creationFailures = map[orgtypes.CreateAccountFailureReason]meaning{
	orgtypes.CreateAccountFailureReasonAccountLimitExceeded:                             reasons[string(orgtypes.ConstraintViolationExceptionReasonAccountNumberLimitExceeded)],
	orgtypes.CreateAccountFailureReasonEmailAlreadyExists:                               {what: "The e-mail address of the new account is already used by another AWS account.", owner: platform, next: "An address is taken for ever, also after its account is closed. Find out whose it is; if it is nobody's any more, correct SLIPWAY_ACCOUNT_EMAIL, give this request up and ask again."},
	orgtypes.CreateAccountFailureReasonInvalidEmail:                                     {what: "AWS does not accept the e-mail address of the new account.", owner: platform, next: "Correct SLIPWAY_ACCOUNT_EMAIL: 6 to 64 ASCII characters. Then ask again with a new request."},
	orgtypes.CreateAccountFailureReasonInvalidAddress:                                   {what: "AWS does not accept the address of the management account.", owner: platform, next: "Correct the contact information of the management account, then retry."},
	orgtypes.CreateAccountFailureReasonInternalFailure:                                  {what: "AWS could not create the account.", owner: byAWS, next: "Retry: the account is asked for anew. Contact AWS Support if it fails again."},
	orgtypes.CreateAccountFailureReasonFailedBusinessValidation:                         {what: "AWS's validation of your business has failed.", owner: platform, next: "Contact AWS Support, then retry."},
	orgtypes.CreateAccountFailureReasonPendingBusinessVALIDATIONv:                       {what: "AWS is still validating your business.", owner: byAWS, next: "Contact AWS Support, then retry."},
	orgtypes.CreateAccountFailureReasonUnknownBusinessValidation:                        {what: "AWS could not validate your business.", owner: platform, next: "Contact AWS Support, then retry."},
	orgtypes.CreateAccountFailureReasonMissingBusinessValidation:                        {what: "AWS has not validated your business yet.", owner: platform, next: "Contact AWS Support, then retry."},
	orgtypes.CreateAccountFailureReasonMissingPaymentInstrument:                         {what: "The management account has no valid payment method.", owner: platform, next: "Add one in the Billing console, then retry."},
	orgtypes.CreateAccountFailureReasonInvalidPaymentInstrument:                         {what: "The payment method of the management account is not valid.", owner: platform, next: "Correct it in the Billing console, then retry."},
	orgtypes.CreateAccountFailureReasonUpdateExistingResourcePolicyWithTagsNotSupported: {what: "The organization's resource policy does not fit tags on new accounts.", owner: platform, next: "Correct the resource policy of the organization, then retry."},
	orgtypes.CreateAccountFailureReasonConcurrentAccountModification:                    {what: "AWS was already creating an account with this e-mail address.", owner: platform, next: "Look into AWS Organizations for the address, then retry."},
}
