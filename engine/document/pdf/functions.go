package pdf

// function is one of PDFium's.
type function int

// Those that are called.
const (
	allocate function = iota
	initLibrary
	loadDocument
	lastError
	pageCount
	loadPage
	closePage
	pageBox
	pageRotation
	pageObjects
	pageObject
	formObjects
	formObject
	objectType
	objectBounds
	objectMatrix
	objectFill
	objectTransparent
	objectMark
	pathMode
	pathSegments
	textMode
	textSize
	loadText
	closeText
	textCount
	textChar
	textBox
	textMatrix
	textObject
	textHyphen
	bookmarkChild
	bookmarkNext
	bookmarkTitle
	bookmarkPlace
	bookmarkAction
	actionPlace
	placePage
	placeInPage
	treeOfPage
	treeClose
	treeCount
	treeChild
	elementType
	elementCount
	elementChild
	elementMarks
	elementMark
	functions
)

var names = [functions]string{
	allocate: "malloc", initLibrary: "FPDF_InitLibrary", loadDocument: "FPDF_LoadMemDocument64", lastError: "FPDF_GetLastError",
	pageCount: "FPDF_GetPageCount", loadPage: "FPDF_LoadPage", closePage: "FPDF_ClosePage", pageBox: "FPDF_GetPageBoundingBox",
	pageRotation: "FPDFPage_GetRotation", pageObjects: "FPDFPage_CountObjects", pageObject: "FPDFPage_GetObject",
	formObjects: "FPDFFormObj_CountObjects", formObject: "FPDFFormObj_GetObject", objectType: "FPDFPageObj_GetType",
	objectBounds: "FPDFPageObj_GetBounds", objectMatrix: "FPDFPageObj_GetMatrix", objectFill: "FPDFPageObj_GetFillColor",
	objectTransparent: "FPDFPageObj_HasTransparency", objectMark: "FPDFPageObj_GetMarkedContentID", pathMode: "FPDFPath_GetDrawMode",
	pathSegments: "FPDFPath_CountSegments", textMode: "FPDFTextObj_GetTextRenderMode", textSize: "FPDFTextObj_GetFontSize",
	loadText: "FPDFText_LoadPage", closeText: "FPDFText_ClosePage", textCount: "FPDFText_CountChars", textChar: "FPDFText_GetUnicode",
	textBox: "FPDFText_GetLooseCharBox", textMatrix: "FPDFText_GetMatrix", textObject: "FPDFText_GetTextObject",
	textHyphen:    "FPDFText_IsHyphen",
	bookmarkChild: "FPDFBookmark_GetFirstChild", bookmarkNext: "FPDFBookmark_GetNextSibling", bookmarkTitle: "FPDFBookmark_GetTitle",
	bookmarkPlace: "FPDFBookmark_GetDest", bookmarkAction: "FPDFBookmark_GetAction", actionPlace: "FPDFAction_GetDest",
	placePage: "FPDFDest_GetDestPageIndex", placeInPage: "FPDFDest_GetLocationInPage", treeOfPage: "FPDF_StructTree_GetForPage",
	treeClose: "FPDF_StructTree_Close", treeCount: "FPDF_StructTree_CountChildren", treeChild: "FPDF_StructTree_GetChildAtIndex",
	elementType: "FPDF_StructElement_GetType", elementCount: "FPDF_StructElement_CountChildren",
	elementChild: "FPDF_StructElement_GetChildAtIndex", elementMarks: "FPDF_StructElement_GetMarkedContentIdCount",
	elementMark: "FPDF_StructElement_GetMarkedContentIdAtIndex",
}
